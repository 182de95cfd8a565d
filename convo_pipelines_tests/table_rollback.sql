-- Drops {table} and its log. The view of all logs is empty until the version before has applied its own.
create or replace view analytics.changes as
select
    null::text as source,
    null::xid8 as xid,
    null::timestamptz as logged_at,
    null::text as operation,
    null::boolean as is_everything
where false;
{views}drop table {table}, {log};
{deletions}
