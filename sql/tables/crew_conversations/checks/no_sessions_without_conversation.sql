-- Sessions without a conversation: materialize crew_conversations for the days shown. Those whose conversation the application
-- refuses are not among them, but shown by no_odd_rows.
-- in:  keys: those that the next tick will refresh
-- out: sessions that crew_conversations should have given a conversation, but did not
select
    day.crew_id,
    day.session_id,
    min(day.activity_date) as first_day
from analytics.histories_sessions as day
where not exists (
    select from analytics.deleted_conversations as deleted
    where deleted.crew_id = day.crew_id and deleted.session_id = day.session_id
)
and not exists (
    select from analytics.refused_conversations as refused
    where refused.crew_id = day.crew_id and refused.session_id = day.session_id
)
and not exists (
    select from pg_temp.keys
    where keys.crew_id = day.crew_id and keys.session_id = day.session_id
)
and not exists (
    select from app.conversations as conversation
    where conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
)
group by day.crew_id, day.session_id;
