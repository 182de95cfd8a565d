-- Whether there is nothing to trim.
-- out: one row: is_empty
select not exists (
    select from analytics.changes
    where xid >= (select trimmed_below from analytics.trim_state)
) as is_empty;
