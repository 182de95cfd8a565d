-- project_conversations: the project that each conversation names, and when it came to it.
-- in:  touched: conversations;
--      %(by_activity)s: a backfill: a new link dates from the conversation's created_at, not from its change
-- out: one row: inserted, updated (moved), deleted, unchanged
with changed as materialized (
    select
        conversation.id as conversation_id,
        conversation.project_id,
        project.user_id as added_by,
        conversation.created_at,
        conversation.updated_at,
        present.project_id as former_project_id
    from app.conversations as conversation
    inner join touched on touched.id = conversation.id
    left join app.projects as project on project.id = conversation.project_id
    left join analytics.project_conversations as present on present.conversation_id = conversation.id
    where conversation.project_id is not null or present.project_id is not null
    order by conversation.id  -- compared before the first insert: never with a table that grows meanwhile
),

saved as (
    insert into analytics.project_conversations as target (project_id, conversation_id, added_at, added_by)
    select
        project_id,
        conversation_id,
        case when %(by_activity)s and former_project_id is null then created_at else updated_at end,
        added_by
    from changed
    where project_id is not null and project_id is distinct from former_project_id
    on conflict (conversation_id) do update set
        project_id = excluded.project_id,
        added_at = excluded.added_at,
        added_by = excluded.added_by
    returning target.xmax = 0 as is_new
),

removed as (
    delete from analytics.project_conversations as target
    using changed
    where target.conversation_id = changed.conversation_id and changed.project_id is null
    returning 1
)

select
    (select count(*) from saved where is_new) as inserted,
    (select count(*) from saved where not is_new) as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from changed) - (select count(*) from saved) - (select count(*) from removed) as unchanged;
