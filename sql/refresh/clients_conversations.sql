-- clients_conversations: a client is in a conversation if a person of theirs is linked to it, or if it is of their crew.
-- in:  keys: conversations
-- out: different; one row: present (links before)
with wanted as (
    select
        link.conversation_id,
        person.client_id
    from keys
    inner join analytics.people_conversations as link on link.conversation_id = keys.id
    inner join app.people as person on person.id = link.person_id
    union
    select
        conversation.id,
        owner.client_id
    from keys
    inner join app.conversations as conversation on conversation.id = keys.id
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    where conversation.crew_id is not null and owner.client_id is not null
),

present as (
    select link.* from analytics.clients_conversations as link
    inner join keys on keys.id = link.conversation_id
),

compared as (
    insert into different (change, day, client_id, conversation_id)
    select
        case when present.client_id is null then 'inserted' else 'deleted' end,
        (conversation.started_at at time zone 'UTC')::date,
        coalesce(wanted.client_id, present.client_id),
        conversation_id
    from wanted
    full join present using (client_id, conversation_id)
    left join app.conversations as conversation on conversation.id = conversation_id
    where wanted.client_id is null or present.client_id is null
)

select count(*) as present from present;
