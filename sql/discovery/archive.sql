-- Remembers which days of a crew were pruned from its histories table: those older than the oldest row left.
-- in:  {histories}; %(crew_id)s; %(forget)s: drop what was remembered
-- out: one row: archived_before; '0001-01-01' if nothing is archive, '9999-12-31' if the table is empty
with oldest as (
    select (min(created_at) at time zone 'UTC')::date as activity_date
    from {histories}
    where created_at >= '0001-01-02'
)

update analytics.crew_discovery_state as state
set archived_before = case
    when %(forget)s then null
    when
        exists (
            select from analytics.histories_sessions as day
            where day.crew_id = state.crew_id and day.activity_date < oldest.activity_date
        )
        then greatest(state.archived_before, oldest.activity_date)
    else state.archived_before
end
from oldest
where state.crew_id = %(crew_id)s::uuid
returning case
    when %(forget)s then '0001-01-01'::date
    when oldest.activity_date is null then '9999-12-31'
    else coalesce(state.archived_before, '0001-01-01')
end as archived_before;
