-- clients_conversations: a client is in a conversation if a person of theirs is linked to it, or if it is their crew's.
-- in:  touched: conversations
-- out: one row: inserted, updated (always 0), deleted, unchanged
with wanted as (
    select
        link.conversation_id,
        person.client_id
    from touched
    inner join analytics.people_conversations as link on link.conversation_id = touched.id
    inner join app.people as person on person.id = link.person_id
    union
    select
        conversation.id,
        crew.client_id
    from touched
    inner join app.conversations as conversation on conversation.id = touched.id
    inner join app.crews as crew on crew.id = conversation.crew_id
),

present as (
    select link.* from analytics.clients_conversations as link
    inner join touched on touched.id = link.conversation_id
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
    returning 1
),

removed as (
    delete from analytics.clients_conversations as target
    using different
    where target.id = different.id
    returning 1
)

select
    (select count(*) from created) as inserted,
    0::bigint as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from present) - (select count(*) from removed) as unchanged;
