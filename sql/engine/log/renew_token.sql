-- Creates the token that the next crash removes. The last one emptied unlogged histories tables, too: they are read as a whole.
with renewed as (
    insert into analytics.crash_token default values
    on conflict do nothing
    returning 1
)

insert into analytics.session_changes (table_oid, operation)
select
    member.oid,
    'everything'
from renewed
cross join analytics.capture_state as source
inner join pg_class as member on member.oid = any(source.members)
where member.relpersistence = 'u';
