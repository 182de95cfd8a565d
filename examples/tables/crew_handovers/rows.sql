-- Conversations of crews in which a person took over. A crew writes to its histories table only; so an outbound row of
-- app.messages in a conversation of a crew was written by a person.
-- key = "conversation_id"
-- day = "taken_over_at"
-- taken_over_at: The person's first message.
-- messages: The person's messages.
-- waited: From the beginning of the conversation to the person's first message.
-- goes_on: Whether the session had messages after the person's first one.
select
    conversation.id as conversation_id, conversation.crew_id, crew.client_id,
    person.taken_over_at, person.messages,
    person.taken_over_at - conversation.started_at as waited,
    session.last_message_at > person.taken_over_at as goes_on
from app.conversations as conversation
inner join app.crews as crew on crew.id = conversation.crew_id
inner join (
    select conversation_id, min(sent_at) as taken_over_at, count(*) as messages
    from app.messages where direction = 'outbound' group by conversation_id
) as person on person.conversation_id = conversation.id
cross join lateral (
    select max(last_message_at) as last_message_at from analytics.histories_sessions
    where crew_id = conversation.crew_id and session_id = conversation.session_id
) as session
