-- What readers see: the parts, joined when they are read.
create schema peers;
create view peers.tool_calls as
select day.crew_id, day.tool, day.called_on, day.calls, session.sessions, day.last_called_at
from parts.tool_days as day
inner join (
    select crew_id, tool, called_on, count(*) as sessions from parts.tool_sessions group by crew_id, tool, called_on
) as session using (crew_id, tool, called_on);
create view peers.crew_handovers as
select
    conversation.id as conversation_id, conversation.crew_id, crew.client_id,
    person.taken_over_at, person.messages,
    person.taken_over_at - conversation.started_at as waited,
    session.last_message_at > person.taken_over_at as goes_on
from app.conversations as conversation
inner join app.crews as crew on crew.id = conversation.crew_id
inner join parts.outbound as person on person.conversation_id = conversation.id
left join parts.sessions as session
    on session.crew_id = conversation.crew_id and session.session_id = conversation.session_id;
