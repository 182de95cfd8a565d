-- Deletes the changes that every table has read.
-- in:  %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
with sessions as (
    delete from analytics.session_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
),

conversations as (
    delete from analytics.conversation_changes where xid >= %(trimmed_below)s::xid8 and xid < %(bound)s::xid8
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
