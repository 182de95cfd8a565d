-- The size of each change log.
-- in:  %(sources)s, %(logs)s: sources and derived tables, and their logs
-- out: one row per change log: log, rows (not yet read by a tick, or not yet trimmed)
select
    named.log,
    count(change.source) as rows
from unnest(%(sources)s::text[], %(logs)s::text[]) as named (source, log)
left join analytics.changes as change on change.source in (named.source, named.source || ' retry')
group by named.log
order by named.log;
