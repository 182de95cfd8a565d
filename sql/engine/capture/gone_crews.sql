-- Deletes what is known of crews that no longer exist, where no foreign key has.
-- out: conversation_changes
with gone as materialized (
    select state.crew_id from analytics.crew_discovery_state as state
    where not exists (select from app.crews as crew where crew.id = state.crew_id)
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

insert into analytics.conversation_changes (source, crew_id, session_id, activity_date, operation)
select
    'histories_sessions',
    crew_id,
    session_id,
    activity_date,
    'update'
from days;
