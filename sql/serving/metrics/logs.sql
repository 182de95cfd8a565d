-- The size of each change log.
-- in:  %(logs)s: the logs
-- out: one row per change log: log, rows (not yet read by a tick, or not yet trimmed)
select
    named.log,
    count(change.log) as rows
from unnest(%(logs)s::text[]) as named (log)
left join analytics.changes as change on change.log = named.log
group by named.log
order by named.log;
