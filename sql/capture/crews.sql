-- Crews that were switched on, or read another table than before: everything of their table is read again.
with active as (
    select
        crew.id,
        crew.histories_table_name,
        crew.is_active and client.is_active as is_discovered
    from app.crews as crew
    inner join app.clients as client on client.id = crew.client_id
),

different as (
    select active.* from active
    left join analytics.crew_discovery_state as state on state.crew_id = active.id
    where active.is_discovered
        and (state.crew_id is null or not state.is_discovered or state.histories_table_name <> active.histories_table_name)
),

switched_off as (
    update analytics.crew_discovery_state as state
    set is_discovered = false
    from active
    where active.id = state.crew_id and not active.is_discovered and state.is_discovered
),

remembered as (
    insert into analytics.crew_discovery_state as state (crew_id, histories_table_name)
    select
        id,
        histories_table_name
    from different
    on conflict (crew_id) do update set
        histories_table_name = excluded.histories_table_name,
        is_discovered = true
)

insert into analytics.session_changes (table_oid, operation)
select distinct
    source.table_oid,
    'everything'
from different
inner join analytics.capture_state as source on source.table_name = different.histories_table_name
where source.table_oid is not null;
