-- The index by which rows of a table are found that another table's rows lead to, if there is none.
-- in:  %(relation)s; %(expressions)s: by one of which
-- out: one row, or none: run_this
select format('create index concurrently on %%s ((%%s))', %(relation)s::text, (%(expressions)s::text[])[1]) as run_this
where not exists (
    select from pg_index as index
    where index.indrelid = %(relation)s::regclass
        and index.indisvalid
        and index.indpred is null
        and translate(pg_get_indexdef(index.indexrelid, 1, false), '() ', '') in (
            select translate(expression, '() ', '') from unnest(%(expressions)s::text[]) as expression
        )
);
