{{ config(unique_key='conversation_id', indexes=[{'columns': ['conversation_id'], 'unique': true}]) }}

select
    conversation.id as conversation_id, conversation.crew_id, crew.client_id,
    person.taken_over_at, person.messages,
    person.taken_over_at - conversation.started_at as waited,
    session.last_message_at > person.taken_over_at as goes_on,
    greatest(conversation.updated_at, person.updated_at) as updated_at
from {{ source('app', 'conversations') }} as conversation
inner join {{ source('app', 'crews') }} as crew on crew.id = conversation.crew_id
inner join (
    select conversation_id, min(sent_at) as taken_over_at, count(*) as messages, max(updated_at) as updated_at
    from {{ source('app', 'messages') }} where direction = 'outbound' group by conversation_id
) as person on person.conversation_id = conversation.id
cross join lateral (
    select max(last_message_at) as last_message_at from {{ source('analytics', 'histories_sessions') }}
    where crew_id = conversation.crew_id and session_id = conversation.session_id
) as session
{% if is_incremental() %}
where conversation.id in ({{ changed_conversations() }})
{% endif %}
