-- clients_conversations: one link per client and conversation of analytics.conversation_clients, with what the
-- conversation's pages are sorted and filtered by.
-- in:  keys: conversations
-- out: different; one row: present (links before)
with wanted as (
    select distinct
        link.conversation_id,
        link.client_id,
        conversation.channel,
        conversation.crew_id,
        conversation.project_id,
        conversation.started_at,
        conversation.closed_at
    from analytics.conversation_clients as link
    inner join app.conversations as conversation on conversation.id = link.conversation_id
    where link.conversation_id = any(array(select id from keys))
),

present as (
    select
        link.conversation_id,
        link.client_id,
        link.channel,
        link.crew_id,
        link.project_id,
        link.started_at,
        link.closed_at
    from analytics.clients_conversations as link
    inner join keys on keys.id = link.conversation_id
),

compared as (
    insert into different (
        change, day, client_id, conversation_id, channel, crew_id, project_id, started_at, closed_at
    )
    select
        case
            when present.client_id is null then 'inserted'
            when wanted.client_id is null then 'deleted'
            else 'updated'
        end,
        (coalesce(wanted.started_at, present.started_at) at time zone 'UTC')::date,
        client_id,
        conversation_id,
        wanted.channel,
        wanted.crew_id,
        wanted.project_id,
        wanted.started_at,
        wanted.closed_at
    from wanted
    full join present using (client_id, conversation_id)
    where wanted is distinct from present
)

select count(*) as present from present;
