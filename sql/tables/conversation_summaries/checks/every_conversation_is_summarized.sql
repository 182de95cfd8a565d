-- Conversations with messages but without a summary: run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, channel, crew_id, session_id
select
    conversation.id as conversation_id,
    conversation.channel,
    conversation.crew_id,
    conversation.session_id
from app.conversations as conversation
where not exists (select from analytics.conversation_summaries where conversation_id = conversation.id)
    and conversation.id not in (select conversation_id from pg_temp.keys)
    and (
        exists (
            select from app.messages as message
            where message.conversation_id = conversation.id and analytics.is_usable_time(message.sent_at)
        )
        or exists (
            select from analytics.histories_sessions as day
            where day.crew_id = conversation.crew_id and day.session_id = conversation.session_id
        )
    );
