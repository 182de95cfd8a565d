create or replace view analytics.conversation_owners as
select
    conversation.id as conversation_id,
    coalesce(conversation.client_id, crew.client_id) as client_id
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id;

comment on view analytics.conversation_owners is
'The client that each conversation belongs to: the client it names, or the client of its crew if it names none.';
comment on column analytics.conversation_owners.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_owners.client_id is 'Its client; null if it names none and has no crew.';
