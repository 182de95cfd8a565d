-- Deletes what is known of crews that no longer exist, where no foreign key has.
-- out: histories_sessions_changes
with recursive read (crew_id) as (  -- by index, crew by crew: there are many days of each
    (
        select crew_id from analytics.histories_sessions
        order by crew_id
        limit 1
    )
    union all
    select (
        select day.crew_id from analytics.histories_sessions as day
        where day.crew_id > read.crew_id
        order by day.crew_id
        limit 1
    )
    from read
    where read.crew_id is not null
),

gone as materialized (
    select crew_id
    from (
        select crew_id from analytics.crew_discovery_state
        union
        select crew_id from read
    ) as known
    where crew_id is not null and not exists (select from app.crews as crew where crew.id = known.crew_id)
),

states as (
    delete from analytics.crew_discovery_state
    where crew_id in (select crew_id from gone)
),

deletions as (
    delete from analytics.deleted_conversations
    where crew_id in (select crew_id from gone)
),

days as (
    delete from analytics.histories_sessions
    where crew_id in (select crew_id from gone)
    returning crew_id, session_id, activity_date
)

insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation)
select
    crew_id,
    session_id,
    activity_date,
    'update'
from days;
