-- Deletes the changes that every table has read; and of the conversations among them, the assignments to projects that a later
-- one replaced.
-- in:  {logs}: a query for each log, which deletes its rows; {counts}: how many each deleted;
--      %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
-- out: one row for each log: log, rows
with assignments as (
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
        )
),

remembered as (
    update analytics.trim_state
    set
        trimmed_below = greatest(trimmed_below, %(bound)s::xid8),
        trimmed_at = now()
),

{logs}

{counts};
