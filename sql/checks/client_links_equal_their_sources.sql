-- A random sample of conversations, their clients recomputed from scratch and compared in both directions.
-- in:  keys: what the next tick will see to; %(sample)s: how many
-- out: conversation_id, client_id, finding (missing or unfounded)
with sample as materialized (
    select
        conversation.id,
        case when conversation.crew_id is not null then owner.client_id end as client_id
    from app.conversations as conversation
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    where conversation.id not in (select id from keys)
    order by random()
    limit %(sample)s
),

wanted as (
    select
        link.conversation_id,
        person.client_id
    from analytics.people_conversations as link
    inner join sample on sample.id = link.conversation_id
    inner join app.people as person on person.id = link.person_id
    union
    select
        id,
        client_id
    from sample
    where client_id is not null
),

present as (
    select
        link.conversation_id,
        link.client_id,
        true as is_present
    from analytics.clients_conversations as link
    inner join sample on sample.id = link.conversation_id
)

select
    conversation_id,
    client_id,
    case when present.is_present then 'unfounded' else 'missing' end as finding
from (select *, true as is_wanted from wanted) as wanted
full join present using (conversation_id, client_id)
where is_wanted is null or is_present is null;
