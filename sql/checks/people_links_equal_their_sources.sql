-- A random sample of conversations, their persons recomputed from scratch and compared in both directions.
-- in:  keys: what the next tick will see to; %(sample)s: how many
-- out: conversation_id, person_id, finding (missing or unfounded)
with sample as materialized (
    select
        conversation.id,
        owner.client_id
    from app.conversations as conversation
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    where conversation.id not in (select id from keys)
    order by random()
    limit %(sample)s
),

wanted as (
    select
        sample.id as conversation_id,
        person.id as person_id
    from sample
    inner join app.messages as message on message.conversation_id = sample.id
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    inner join analytics.participant_resolutions as resolution
        on resolution.contact_method_id = recipient.contact_method_id
    inner join app.people as person on person.id = resolution.person_id
    where resolution.method = 'manual' or sample.client_id is null or sample.client_id = person.client_id
    union
    select
        sample.id,
        resolution.person_id
    from sample
    inner join analytics.session_resolutions as resolution on resolution.conversation_id = sample.id
    where resolution.person_id is not null
),

present as (
    select
        link.conversation_id,
        link.person_id,
        true as is_present
    from analytics.people_conversations as link
    inner join sample on sample.id = link.conversation_id
)

select
    conversation_id,
    person_id,
    case when present.is_present then 'unfounded' else 'missing' end as finding
from (select *, true as is_wanted from wanted) as wanted
full join present using (conversation_id, person_id)
where is_wanted is null or is_present is null;
