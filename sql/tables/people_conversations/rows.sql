-- people_conversations: one link per person and conversation of analytics.conversation_people.
-- in:  keys: conversations
-- out: different; one row: present (links before)
with wanted as (
    select distinct
        conversation_id,
        person_id
    from analytics.conversation_people
    where conversation_id = any(array(select id from keys))
),

present as (
    select link.* from analytics.people_conversations as link
    inner join keys on keys.id = link.conversation_id
),

compared as (
    insert into different (change, day, person_id, conversation_id)
    select
        case when present.person_id is null then 'inserted' else 'deleted' end,
        (conversation.started_at at time zone 'UTC')::date,
        person_id,
        conversation_id
    from wanted
    full join present using (person_id, conversation_id)
    left join app.conversations as conversation on conversation.id = conversation_id
    where wanted.person_id is null or present.person_id is null
)

select count(*) as present from present;
