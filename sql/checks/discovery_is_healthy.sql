-- Active crews whose ticks are outside the limits; where too many fail, all that fail.
-- in:  %(waiting)s: ids of the crews with rows to read
-- out: one row per crew and limit: crew, limit_passed, value
with states as (
    select
        crew.crew_code as crew,
        crew.id = any(%(waiting)s::uuid[]) as is_waiting,
        state.last_success_at,
        state.last_duration_ms,
        coalesce(state.consecutive_failures, 0) as consecutive_failures,
        avg((state.consecutive_failures > 0)::int) over () as error_rate
    from app.crews as crew
    inner join analytics.crew_discovery_state as state on state.crew_id = crew.id
    where crew.is_active
)

select crew, 'rows waiting, no success for 10 minutes' as limit_passed, coalesce(last_success_at::text, 'never') as value
from states
where is_waiting and last_success_at < now() - interval '10 minutes'
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
where error_rate > 0.05 and consecutive_failures > 0
order by 1, 2;
