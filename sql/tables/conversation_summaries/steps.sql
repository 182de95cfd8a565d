-- name: odd
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
    odd.kind,
    count(*),
    min(conversation.id::text)
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
cross join lateral (
    values
    ('conversations without a channel', conversation.channel is null),
    ('conversations without a usable started_at', not analytics.is_usable_time(conversation.started_at)),
    (
        'conversations without a usable closed_at',
        conversation.closed_at is not null and not analytics.is_usable_time(conversation.closed_at)
    )
) as odd (kind, is_odd)
where odd.is_odd
group by odd.kind;
