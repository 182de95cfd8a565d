-- Conversations that are open, with who wrote last and when. How long one has waited changes although no row does: so now()
-- cannot be in it. It stores times; who reads it subtracts them from now().
-- key = "conversation_id"
-- day = "started_at"
-- last_direction: inbound: it waits for an answer; outbound: for the customer.
-- last_sent_at: The last message.
-- lasted: From the beginning to the last message.
select
    conversation.id as conversation_id, conversation.client_id, conversation.channel, conversation.started_at,
    last.direction as last_direction, last.sent_at as last_sent_at,
    last.sent_at - conversation.started_at as lasted
from app.conversations as conversation
left join lateral (
    select direction, sent_at from app.messages
    where conversation_id = conversation.id
    order by sent_at desc, id desc
    limit 1
) as last on true
where conversation.closed_at is null and conversation.crew_id is null
