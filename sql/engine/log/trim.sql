-- Deletes the changes that every table has read, and what tables keep for these.
-- in:  {logs}: a query for each log, which deletes its rows, and those of tables; {counts}: how many each deleted;
--      %(trimmed_below)s, %(bound)s: of transactions from the first up to, not including, the second
-- out: one row for each log: log, rows
with remembered as (
    update analytics.trim_state
    set
        trimmed_below = greatest(trimmed_below, %(bound)s::xid8),
        trimmed_at = now()
),

{logs}

{counts};
