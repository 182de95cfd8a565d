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
