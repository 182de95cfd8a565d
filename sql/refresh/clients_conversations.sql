-- clients_conversations: one link per client and conversation of analytics.conversation_clients.
-- in:  keys: conversations
-- out: different; one row: present (links before)
with wanted as (
    select distinct
        conversation_id,
        client_id
    from analytics.conversation_clients
    where conversation_id = any(array(select id from keys))
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
