{{ config(unique_key='conversation_id', indexes=[{'columns': ['conversation_id'], 'unique': true}]) }}

select
    conversation.id as conversation_id, conversation.client_id, conversation.channel, conversation.started_at,
    last.direction as last_direction, last.sent_at as last_sent_at,
    last.sent_at - conversation.started_at as lasted,
    greatest(conversation.updated_at, last.updated_at) as updated_at
from {{ source('app', 'conversations') }} as conversation
left join lateral (
    select direction, sent_at, updated_at from {{ source('app', 'messages') }}
    where conversation_id = conversation.id
    order by sent_at desc, id desc
    limit 1
) as last on true
where conversation.closed_at is null and conversation.crew_id is null
{% if is_incremental() %}
    and conversation.id in ({{ changed_conversations() }})
{% endif %}
