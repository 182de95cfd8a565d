{{ config(unique_key='conversation_id', indexes=[{'columns': ['conversation_id'], 'unique': true}]) }}

select
    conversation.id as conversation_id, conversation.client_id, asked.asked_at, answer.sent_at as answered_at,
    answer.contact_method_id as answered_from,
    coalesce(answer.sent_at <= asked.asked_at + target.minutes * interval '1 minute', false) as is_in_time,
    greatest(conversation.updated_at, asked.updated_at) as updated_at
from {{ source('app', 'conversations') }} as conversation
inner join {{ source('app', 'reply_targets') }} as target on target.client_id = conversation.client_id
cross join lateral (
    select min(sent_at) filter (where direction = 'inbound') as asked_at, max(updated_at) as updated_at
    from {{ source('app', 'messages') }} where conversation_id = conversation.id
) as asked
left join lateral (
    select message.sent_at, sender.contact_method_id from {{ source('app', 'messages') }} as message
    left join {{ source('app', 'message_recipients') }} as sender
        on sender.message_id = message.id and sender.role = 'from'
    where message.conversation_id = conversation.id and direction = 'outbound' and sent_at > asked.asked_at
    order by message.sent_at, message.id, sender.id
    limit 1
) as answer on true
where asked.asked_at is not null
{% if is_incremental() %}
    and conversation.id in ({{ changed_conversations() }})
{% endif %}
