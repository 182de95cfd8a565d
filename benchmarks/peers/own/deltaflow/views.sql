create view parts.tool_calls as
select crew_id, tool, day as called_on, count(*) as calls, count(distinct session_id) as sessions, max(called_at) as last_called_at
from app.tool_messages
group by crew_id, tool, day;

create view parts.crew_handovers as
select
    conversation.id as conversation_id, conversation.crew_id, crew.client_id, conversation.started_at,
    min(message.sent_at) as taken_over_at, count(distinct message.id) as messages,
    max(session.last_message_at) as last_message_at
from app.conversations as conversation
inner join app.crews as crew on crew.id = conversation.crew_id
inner join app.messages as message on message.conversation_id = conversation.id
left join analytics.histories_sessions as session
    on session.crew_id = conversation.crew_id and session.session_id = conversation.session_id
where message.direction = 'outbound'
group by conversation.id, conversation.crew_id, crew.client_id, conversation.started_at;
