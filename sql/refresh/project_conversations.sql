-- project_conversations: the project that each conversation names, and when it came to it.
-- in:  keys: conversations; %(is_tick)s: a new link dates from the change, not from the conversation's created_at
-- out: changed; conversation_changes; one row: present (links before)
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
    order by keys.id  -- compared before the first insert: never with a table that grows meanwhile
),

different as (
    select * from compared
    where project_id is distinct from former_project_id
),

saved as (
    insert into analytics.project_conversations as target (project_id, conversation_id, added_at, added_by)
    select
        project_id,
        conversation_id,
        case when not %(is_tick)s and former_project_id is null then created_at else updated_at end,
        added_by
    from different
    where project_id is not null
    on conflict (conversation_id) do update set
        project_id = excluded.project_id,
        added_at = excluded.added_at,
        added_by = excluded.added_by
),

removed as (
    delete from analytics.project_conversations as target
    using different
    where target.conversation_id = different.conversation_id and different.project_id is null
),

passed_on as (
    insert into analytics.conversation_changes (source, conversation_id, operation)
    select
        'project_conversations',
        conversation_id,
        'update'
    from different
),

noted as (
    insert into changed (kind, day, id)
    select
        case
            when former_project_id is null then 'inserted'
            when project_id is null then 'deleted'
            else 'updated'
        end,
        (started_at at time zone 'UTC')::date,
        conversation_id
    from different
)

select count(*) as present from compared
where former_project_id is not null;
