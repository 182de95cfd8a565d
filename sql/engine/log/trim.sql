-- Deletes the changes that every table has read; and of the conversations among them, the assignments to projects that a later
-- one replaced.
-- in:  %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
with sessions as (
    delete from analytics.session_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
),

conversations as (
    delete from analytics.conversation_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
    returning source, conversation_id
),

assignments as (
    delete from curation.project_assignments as former
    where former.conversation_id = any(array(select conversation_id from conversations where source = 'conversations'))
        and (
            former.project_id is null
            or exists (
                select from curation.project_assignments as later
                where later.conversation_id = former.conversation_id and later.id > former.id
            )
        )
),

messages as (
    delete from analytics.message_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
),

identifiers as (
    delete from analytics.identifier_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
),

projects as (
    delete from analytics.project_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
)

update analytics.trim_state
set
    trimmed_below = greatest(trimmed_below, %(bound)s::xid8),
    trimmed_at = now();
