-- project_conversations: the project that each conversation names, and when it came to it.
-- in:  keys: conversations; %(is_tick)s: a new link dates from the change, not from the conversation's created_at
-- out: different; one row: present (links before), odd (rows that are read otherwise than written: kind, rows, example)
with compared as materialized (
    select
        keys.id as conversation_id,
        project.id as project_id,
        project.user_id as added_by,
        conversation.created_at,
        conversation.updated_at,
        conversation.started_at,
        present.project_id as former_project_id
    from keys
    left join app.conversations as conversation on conversation.id = keys.id
    left join app.projects as project on project.id = conversation.project_id
    left join analytics.project_conversations as present on present.conversation_id = keys.id
    where project.id is not null or present.project_id is not null
),

dated as (
    select
        *,
        case when not %(is_tick)s and former_project_id is null then created_at else updated_at end as came_at
    from compared
    where project_id is distinct from former_project_id
),

noted as (
    insert into different (change, day, project_id, conversation_id, added_at, added_by)
    select
        case
            when former_project_id is null then 'inserted'
            when project_id is null then 'deleted'
            else 'updated'
        end,
        (started_at at time zone 'UTC')::date,
        project_id,
        conversation_id,
        case when analytics.is_usable_time(came_at) then came_at else now() end,
        added_by
    from dated
),

odd as (
    select
        'conversations without a usable created_at or updated_at' as kind,
        count(*) as rows,
        min(conversation_id::text) as example
    from compared
    where project_id is not null
        and not (analytics.is_usable_time(created_at) and analytics.is_usable_time(updated_at))
)

select
    (select count(*) from compared where former_project_id is not null) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd;
