-- Dangling references, except to rows whose deletion the table has not read yet.
-- in:  {target}, {key}, {column}; {parent}: the table in app that the column refers to, %(parent)s: its name; {log}: its log;
--      %(unread_since)s: the watermark of the table
-- out: one row per dangling reference: the key, missing
with unread as (
    select id from {log}
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
)

select
    {key},
    {column} || ' in ' || %(parent)s as missing
from {target} as target
where target.{column} is not null
    and not exists (select from {parent} as parent where parent.id = target.{column})
    and not exists (select from unread where unread.id = target.{column} or unread.id is null);
