-- Active crews whose ticks exceed a limit; if too many fail, all that fail.
-- in:  %(unread_since)s: the watermark of histories_sessions, or null; %(wait_minutes)s: how long rows may wait
-- out: one row per crew and limit: crew, limit_passed, value
with unread as (
    select
        table_oid,
        min(logged_at) as since
    from analytics.session_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
    group by table_oid
),

states as (
    select
        crew.crew_code as crew,
        (select min(unread.since) from unread where unread.table_oid = any(source.members)) as waiting_since,
        state.last_duration_ms,
        coalesce(state.consecutive_failures, 0) as consecutive_failures,
        avg((state.consecutive_failures > 0)::int) filter (where state.last_run_at > now() - interval '1 hour') over ()
            as error_rate,
        count(*) filter (where state.last_run_at > now() - interval '1 hour') over () as crews_of_the_hour
    from app.crews as crew
    inner join analytics.crew_discovery_state as state on state.crew_id = crew.id
    left join analytics.capture_state as source on source.table_name = state.histories_table_name
    where crew.is_active and state.is_discovered
)

select
    crew,
    'rows waiting for more than ' || round(%(wait_minutes)s::numeric) || ' minutes' as limit_passed,
    'since ' || waiting_since as value
from states
where waiting_since < now() - %(wait_minutes)s * interval '1 minute'
union all
select crew.crew_code, 'never read', 'created ' || crew.created_at
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
where crew.is_active
    and client.is_active
    and state.last_success_at is null
    and crew.created_at < now() - %(wait_minutes)s * interval '1 minute'
union all
select crew, 'tick longer than 30 s', last_duration_ms || ' ms'
from states
where last_duration_ms > 30000
union all
select crew, 'more than 3 consecutive failures', consecutive_failures::text
from states
where consecutive_failures > 3
union all
select crew, 'error rate above 5 %%', round(error_rate * 100) || ' %%'
from states
where error_rate > 0.05 and crews_of_the_hour >= 20 and consecutive_failures > 0
order by 1, 2;
