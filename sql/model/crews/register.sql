-- Registers crews that were activated, name another table than before or moved to another client: everything of their table
-- is read again. Crews whose row another session has locked, such as one that deletes them, are left for the next time.
-- in:  {crews}: app.crews; without the rows of tables that inherit from it, if state can refer to none of them
-- out: one row: crews (how many)
with active as (
    select
        crew.id,
        crew.client_id,
        crew.histories_table_name,
        crew.is_active and client.is_active and crew.histories_table_name is not null as is_discovered
    from {crews} as crew
    inner join app.clients as client on client.id = crew.client_id
),

changed as materialized (
    select active.* from active
    left join analytics.crew_discovery_state as state on state.crew_id = active.id
    where active.is_discovered <> coalesce(state.is_discovered, false)
        or active.is_discovered
        and (state.histories_table_name, state.client_id) is distinct from (active.histories_table_name, active.client_id)
),

different as materialized (
    select changed.* from changed
    where id in (select analytics.lock_parents('crews', array(select id from changed)))
),

switched_off as (
    update analytics.crew_discovery_state as state
    set is_discovered = false
    from different
    where different.id = state.crew_id and not different.is_discovered
),

remembered as (
    insert into analytics.crew_discovery_state as state (crew_id, client_id, histories_table_name)
    select
        id,
        client_id,
        histories_table_name
    from different
    where is_discovered
    on conflict (crew_id) do update set
        client_id = excluded.client_id,
        histories_table_name = excluded.histories_table_name,
        is_discovered = true
),

logged as (
    insert into analytics.session_changes (table_oid, operation)
    select distinct
        source.table_oid,
        'everything'
    from different
    inner join analytics.capture_state as source on source.table_name = different.histories_table_name
    where different.is_discovered and source.table_oid is not null
)

select count(*) as crews from changed;
