-- Days on which the session-days of a crew do not add up to its histories table.
-- in:  {histories}; %(crew_id)s
-- out: one row per day: in_source (messages up to the watermark), at_most (all messages), counted
with state as (
    select
        coalesce(max(watermark_id), 0) as watermark_id,
        coalesce(max(archived_before), '0001-01-01') as archived_before
    from analytics.crew_discovery_state
    where crew_id = %(crew_id)s::uuid
),

source as (
    select
        (created_at at time zone 'UTC')::date as activity_date,
        count(*) filter (where id <= state.watermark_id) as in_source,
        count(*) as at_most
    from {histories}, state
    where session_id is not null and created_at >= '0001-01-02' and created_at < '9999-12-30'
    group by 1
),

target as (
    select activity_date, sum(message_count)::bigint as counted
    from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid
    group by 1
)

select
    activity_date,
    coalesce(in_source, 0) as in_source,
    coalesce(at_most, 0) as at_most,
    coalesce(counted, 0) as counted
from source
full join target using (activity_date)
where activity_date >= (select archived_before from state)
    and activity_date >= (select min(activity_date) from source)
    and coalesce(counted, 0) not between coalesce(in_source, 0) and coalesce(at_most, 0)
order by activity_date;
