-- Dangling references, except to rows whose deletion the table has not read yet.
-- in:  {target}, {key}, {column}; {parent}: the table in app that the column refers to, %(parent)s: its name;
--      %(unread_since)s: the watermark of the table
-- out: one row per dangling reference: the key, missing
with unread as (
    select conversation_id as id
    from analytics.conversation_changes
    where source = %(parent)s and analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
    union all
    select id
    from analytics.identifier_changes
    where source = %(parent)s and analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
    union all
    select project_id
    from analytics.project_changes
    where 'projects' = %(parent)s and analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
)

select
    {key},
    {column} || ' in ' || %(parent)s as missing
from {target} as target
where target.{column} is not null
    and not exists (select from {parent} as parent where parent.id = target.{column})
    and not exists (select from unread where unread.id = target.{column} or unread.id is null);
