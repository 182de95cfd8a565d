-- Whether the first question of a conversation was answered within the target of its client, and from which address.
-- key = "conversation_id"
-- day = "asked_at"
-- asked_at: The first inbound message.
-- answered_at: The first outbound message after it; null: none yet.
-- answered_from: The contact method that the answer came from. The schema does not say which user wrote it.
-- is_in_time: Whether the answer came within the target of the client.
select
    conversation.id as conversation_id, conversation.client_id, asked.asked_at, answer.sent_at as answered_at,
    answer.contact_method_id as answered_from,
    coalesce(answer.sent_at <= asked.asked_at + target.minutes * interval '1 minute', false) as is_in_time
from app.conversations as conversation
inner join app.reply_targets as target on target.client_id = conversation.client_id
cross join lateral (
    select min(sent_at) as asked_at from app.messages
    where conversation_id = conversation.id and direction = 'inbound'
) as asked
left join lateral (
    select message.sent_at, sender.contact_method_id from app.messages as message
    left join app.message_recipients as sender on sender.message_id = message.id and sender.role = 'from'
    where message.conversation_id = conversation.id and direction = 'outbound' and sent_at > asked.asked_at
    order by message.sent_at, message.id, sender.id
    limit 1
) as answer on true
where asked.asked_at is not null
