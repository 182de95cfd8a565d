-- out: one row: is_empty: whether there is nothing to trim
select not exists (
    select from analytics.changes
    where xid >= (select trimmed_below from analytics.trim_state)
) as is_empty;
