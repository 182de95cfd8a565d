-- Deletes the changes that every table has read; and of the conversations among them, the assignments to projects that a later
-- one replaced.
-- in:  %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
-- out: one row for each log: log, rows (how many were deleted)
with sessions as (
    delete from analytics.session_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
    returning 1
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
    returning 1
),

identifiers as (
    delete from analytics.identifier_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
    returning 1
),

projects as (
    delete from analytics.project_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
    returning 1
),

remembered as (
    update analytics.trim_state
    set
        trimmed_below = greatest(trimmed_below, %(bound)s::xid8),
        trimmed_at = now()
)

select
    trimmed.log,
    trimmed.rows
from (
    values
    ('session_changes', (select count(*) from sessions)),
    ('conversation_changes', (select count(*) from conversations)),
    ('message_changes', (select count(*) from messages)),
    ('identifier_changes', (select count(*) from identifiers)),
    ('project_changes', (select count(*) from projects))
) as trimmed (log, rows);
