-- Messages that summaries leave out, and conversations with times that are read as others or as none.
-- in:  keys: conversations
-- out: kind, rows, example
select
    'messages without a usable sent_at' as kind,
    count(*) as rows,
    min(message.id::text) as example
from keys
inner join app.messages as message on message.conversation_id = keys.conversation_id
where not analytics.is_usable_time(message.sent_at)
union all
select
    'conversations without a usable started_at',
    count(*),
    min(conversation.id::text)
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
where not analytics.is_usable_time(conversation.started_at)
union all
select
    'conversations without a usable closed_at',
    count(*),
    min(conversation.id::text)
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
where not analytics.is_usable_time(conversation.closed_at) and conversation.closed_at is not null;
