-- The crews that a tick has to visit: those with changes, those refreshed by window, and those that could not be read.
-- in:  %(seen)s, %(taken)s: logged between these snapshots; seen null: all; %(codes)s: only these, or null
-- out: one row per active crew, by code: id, code, client_id, table_name, members (null: there is no such table), mode, remark,
--      has_keys, rest_from (everything from this day on is to be read; null: nothing is), unplaced (writes left out)
with logged as (
    select
        table_oid,
        bool_or(operation in ('insert', 'update', 'delete')) as has_keys,
        min(coalesce(activity_date, '0001-01-02')) filter (where operation in ('everything', 'truncate')) as rest_from,
        count(*) filter (
            where operation = 'unplaced'
                or operation <> 'delete' and (activity_date < '0001-01-02' or activity_date >= '9999-12-30')
        ) as unplaced
    from analytics.session_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
    group by table_oid
),

sources as (
    select
        state.table_name,
        bool_or(logged.has_keys) as has_keys,
        min(logged.rest_from) as rest_from,
        sum(logged.unplaced)::bigint as unplaced
    from analytics.capture_state as state
    cross join lateral unnest(state.members) as member
    inner join logged on logged.table_oid = member
    group by state.table_name
)

select
    crew.id,
    crew.crew_code as code,
    crew.client_id,
    crew.histories_table_name as table_name,
    state.members,
    coalesce(state.mode, 'window') as mode,
    state.remark,
    coalesce(sources.has_keys, false) as has_keys,
    case when %(seen)s::text is null then '0001-01-02' else sources.rest_from end as rest_from,
    coalesce(sources.unplaced, 0) as unplaced
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
inner join analytics.crew_discovery_state as known  -- what was switched on or moved since is read from the next tick on
    on known.crew_id = crew.id and known.is_discovered and known.histories_table_name = crew.histories_table_name
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
left join sources on sources.table_name = crew.histories_table_name
where crew.is_active
    and client.is_active
    and (%(codes)s::text[] is null or crew.crew_code = any(%(codes)s::text[]))
    and (
        %(seen)s::text is null
        or sources.table_name is not null
        or state.table_oid is null
        or state.mode = 'window'
    )
order by crew.crew_code;
