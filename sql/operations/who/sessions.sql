-- The sessions whose id is an identifier, and whom it names.
-- in:  %(key)s: the identifier
-- out: crew, session_id, conversation_id, client, person_id, messages
select
    crew.crew_code as crew,
    conversation.session_id,
    conversation.id as conversation_id,
    client.client_code as client,
    holder.person_id,
    summary.message_count as messages
from analytics.identifiers as named
inner join app.conversations as conversation on conversation.id = named.source_id
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
cross join lateral analytics.holder_of(named.identifier, owner.client_id) as holder
left join app.crews as crew on crew.id = conversation.crew_id
left join app.clients as client on client.id = owner.client_id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where named.identifier = %(key)s and named.source = 'conversation'
order by crew.crew_code, conversation.session_id, conversation.id;
