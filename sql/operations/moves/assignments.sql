-- Puts when and by whom conversations were added to their projects in the place of what the move itself recorded.
-- Conversations that have another project by now are left.
-- in:  moved
-- out: one row: rows
with former as (
    select added.*
    from moved
    cross join lateral jsonb_populate_record(null::curation.project_assignments, line -> 'row') as added
    inner join app.conversations as conversation
        on conversation.id = added.conversation_id and conversation.project_id = added.project_id
    where line ->> 'table' = 'project_assignments'
        and not exists (
            select from curation.project_assignments as present
            where present.conversation_id = added.conversation_id and present.project_id = added.project_id
                and present.changed_at = added.changed_at
        )
),

replaced as (
    delete from curation.project_assignments
    where conversation_id in (select conversation_id from former)
),

written as (
    insert into curation.project_assignments (conversation_id, project_id, changed_at, actor)
    select
        conversation_id,
        project_id,
        changed_at,
        actor
    from former
    returning conversation_id
),

logged as (
    insert into analytics.project_conversations_changes (conversation_id, operation)
    select
        conversation_id,
        'retry'
    from written
)

select count(*) as rows from written;
