-- Logs the rows that a refresh changed, for the tables that follow, unless triggers do. Before they are written: see
-- triggers_log.sql.
-- in:  diff; {relation}: the table, as a literal; {log}, {logged}: its columns; %(written_at)s: when the oldest change was made,
--      or null; %(is_awaited)s: whether a table that follows has begun to read it
insert into {log} ({logged}, operation, logged_at)
select distinct
    {logged},
    'update',
    coalesce(%(written_at)s::timestamptz, now())
from diff
where change <> 'locked'
    and %(is_awaited)s
    and not (select analytics.triggers_log({relation}::regclass, %(written_at)s::timestamptz));
