-- Conversations of crews without a session and without a message.
select
    conversation.id as conversation_id,
    conversation.crew_id,
    conversation.session_id,
    conversation.created_at
from app.conversations as conversation
where conversation.crew_id is not null
    and not exists (
        select from analytics.histories_sessions as day
        where day.crew_id = conversation.crew_id and day.session_id = conversation.session_id
    )
    and not exists (select from app.messages as message where message.conversation_id = conversation.id);
