-- out: columns of app that ticks and backfills read by and that lead no valid index, with the statement that helps
select
    table_name,
    column_name,
    format('create index concurrently on app.%%I (%%I)', table_name, column_name) as run_this
from (
    values
    ('conversations', 'updated_at'),
    ('conversations', 'started_at'),
    ('messages', 'updated_at'),
    ('messages', 'sent_at'),
    ('message_recipients', 'updated_at')
) as wanted (table_name, column_name)
where not exists (
    select from pg_index as i
    inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indisvalid
        and i.indrelid = to_regclass(format('app.%%I', wanted.table_name))
        and a.attname = wanted.column_name
);
