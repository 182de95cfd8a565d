-- The statements that create the indexes by which rows of a view in app are found by a column; none if the planner has them. It
-- says what it compares, row by row, with a value that no row has.
create or replace function analytics.missing_indexes_beneath(table_name text, column_name text, method text) returns setof text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set timezone = 'UTC'
set standard_conforming_strings = on
as $$
declare
    of_type text;
    wanted text;
    plan jsonb;
    found record;
    start int;
    depth int;
    statements text[];
    expression text;
begin
    select format_type(atttypid, null) into of_type from pg_attribute
    where attrelid = format('app.%I', table_name)::regclass and attname = column_name;
    wanted := case of_type
        when 'uuid' then '5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a'
        when 'uuid[]' then '{5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a}'
        when 'timestamp with time zone' then '2001-02-03 04:05:06+00'
        else 'no such value'
    end;
    execute format(
        'explain (format json, verbose) select from app.%I where %I %s %L::%s',
        table_name, column_name, case method when 'gin' then '@>' else '=' end, wanted, of_type
    ) into plan;
    for found in
        select
            format('%I.%I', node ->> 'Schema', node ->> 'Relation Name') as relation,
            node ->> 'Alias' as alias,
            node ->> 'Filter' as filter
        from jsonb_path_query(plan, '$.** ? (exists (@.Filter) && exists (@."Relation Name"))') as node
    loop
        start := strpos(found.filter, format(' %s %L', case method when 'gin' then '@>' else '=' end, wanted));
        continue when start = 0;
        expression := left(found.filter, start - 1);
        depth := 0;
        for position in reverse length(expression)..1 loop
            depth := depth + case substr(expression, position, 1) when ')' then 1 when '(' then -1 else 0 end;
            if depth < 0 then
                expression := substr(expression, position + 1);
                exit;
            end if;
        end loop;
        expression := replace(expression, quote_ident(found.alias) || '.', '');
        expression := regexp_replace(expression, '\(lpad\(to_hex\((.*?)\), 32, ''0''::text\)\)::uuid', 'analytics.uuid_of(\1)', 'g');
        expression := regexp_replace(
            expression, '^\(md5\(\(''\d+:([^'']*):''::text \|\| (.*)\)\)\)::uuid$', 'analytics.uuid_of(''\1'', \2)'
        );
        continue when exists (
            select from pg_index as index
            where index.indrelid = found.relation::regclass
                and index.indisvalid
                and index.indpred is null
                and translate(pg_get_indexdef(index.indexrelid, 1, false), '() ', '') = translate(expression, '() ', '')
        );
        statements := statements || format('create index concurrently on %s using %s ((%s))', found.relation, method, expression);
    end loop;
    return query select distinct unnest(statements);
end
$$;

create or replace view analytics.missing_app_indexes as
select
    wanted.table_name,
    wanted.column_name,
    missing.run_this
from (
    values
    ('clients', 'id', 'btree'),
    ('crews', 'id', 'btree'),
    ('people', 'id', 'btree'),
    ('contact_methods', 'id', 'btree'),
    ('conversations', 'id', 'btree'),
    ('conversations', 'crew_id', 'btree'),
    ('conversations', 'started_at', 'btree'),
    ('messages', 'id', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('projects', 'id', 'btree'),
    ('projects', 'conversation_ids', 'gin'),
    ('users', 'id', 'btree')
    union all
    select distinct
        histories_table_name,
        'created_at',
        'btree'
    from app.crews
    where is_active
) as wanted (table_name, column_name, method)
inner join pg_class as class
    on class.relname = wanted.table_name and class.relnamespace = to_regnamespace('app') and class.relkind in ('r', 'p', 'v')
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = wanted.column_name
cross join lateral (
    select analytics.missing_indexes_beneath(wanted.table_name, wanted.column_name, wanted.method) as run_this
    where class.relkind = 'v'
    union all
    select format('create index concurrently on app.%I using %s (%I)', wanted.table_name, wanted.method, wanted.column_name)
    where class.relkind <> 'v' and wanted.column_name <> 'created_at' and not exists (
        select from pg_index as i
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_am as am on am.oid = c.relam
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid
            and i.indpred is null
            and i.indrelid = class.oid
            and a.attname = wanted.column_name
            and am.amname = wanted.method
    )
) as missing;

comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills filter by and that have no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table or view in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that creates the index.';
