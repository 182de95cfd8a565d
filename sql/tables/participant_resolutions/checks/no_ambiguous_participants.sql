-- Contact methods and session ids that match several persons, even within the conversation's client; they are not linked. Merge
-- the persons in the CRM, or decide with `convo-pipelines people link`; `convo-pipelines people who` shows the candidates.
-- severity: WARN
-- out: contact methods that several persons have, in messages of conversations whose client does not tell which, or in none;
--      session ids (without contact_method_id) that several persons of the client have; those of the most messages first
with found as (
    select
        resolution.contact_method_id,
        resolution.candidate_count,
        owner.client_id,
        count(message.id) as messages
    from analytics.participant_resolutions as resolution
    left join app.message_recipients as recipient on recipient.contact_method_id = resolution.contact_method_id
    left join app.messages as message on message.id = recipient.message_id
    left join analytics.conversation_owners as owner on owner.conversation_id = message.conversation_id
    where resolution.status = 'ambiguous'
    group by resolution.contact_method_id, resolution.candidate_count, owner.client_id
)

select
    contact.id as contact_method_id,
    contact.kind::text,
    contact.value::text,
    found.candidate_count,
    sum(found.messages)::bigint as messages
from found
inner join app.contact_methods as contact on contact.id = found.contact_method_id
inner join analytics.identifiers as place on place.source_id = contact.id and place.source = 'contact_method'
cross join lateral analytics.holder_of(array[place.identifier], found.client_id) as holder
where holder.person_id is null
group by contact.id, contact.kind, contact.value, found.candidate_count
union all
select
    null,
    kind,
    identifier,
    candidate_count,
    messages
from analytics.unknown_sessions
where status = 'ambiguous'
order by messages desc, value;
