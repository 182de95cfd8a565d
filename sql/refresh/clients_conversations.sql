-- clients_conversations: a client is in a conversation if a person of theirs is linked to it, or if it is of their crew.
-- in:  keys: conversations
-- out: changed; one row: present (links before)
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

different as materialized (
    select
        conversation_id,
        client_id,
        present.id
    from wanted
    full join present using (conversation_id, client_id)
    where wanted.client_id is null or present.client_id is null
    order by conversation_id  -- compared before the first insert: never with a table that grows meanwhile
),

created as (
    insert into analytics.clients_conversations (client_id, conversation_id)
    select
        client_id,
        conversation_id
    from different
    where id is null
    on conflict (client_id, conversation_id) do nothing
),

removed as (
    delete from analytics.clients_conversations as target
    using different
    where target.id = different.id
),

noted as (
    insert into changed (kind, day, id)
    select
        case when different.id is null then 'inserted' else 'deleted' end,
        (conversation.started_at at time zone 'UTC')::date,
        different.conversation_id
    from different
    left join app.conversations as conversation on conversation.id = different.conversation_id
)

select count(*) as present from present;
