-- name: odd
-- Conversations of a project without a usable time at which they were added.
-- in:  keys: conversations
-- out: kind, rows, example
select
    'conversations without a usable created_at or updated_at' as kind,
    count(*) as rows,
    min(conversation.id::text) as example
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
inner join app.projects as project on project.id = conversation.project_id
where not (analytics.is_usable_time(conversation.created_at) and analytics.is_usable_time(conversation.updated_at));


-- name: trimmed
-- Deletes assignments to projects that a later one replaced, of conversations whose changes every table has read.
-- in:  %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
delete from curation.project_assignments as former
where former.conversation_id = any(
    array(
        select id from analytics.conversations_changes
        where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
    )
)
    and (
        former.project_id is null
        or exists (
            select from curation.project_assignments as later
            where later.conversation_id = former.conversation_id and later.id > former.id
        )
    );
