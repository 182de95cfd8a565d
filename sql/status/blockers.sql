-- Who holds a lock on tables of app, or on their partitions, that lets nobody read them.
-- in:  %(tables)s
-- out: pid, who, since (null: not this role's to see), table_name; the oldest first
select
    held.pid,
    activity.usename::text as who,
    activity.xact_start as since,
    held.relation::regclass::text as table_name
from pg_locks as held
left join pg_stat_activity as activity on activity.pid = held.pid
where held.granted
    and held.mode = 'AccessExclusiveLock'
    and held.database = (select oid from pg_database where datname = current_database())
    and (
        held.relation = any(array(select to_regclass(format('app.%%I', name)) from unnest(%(tables)s::text[]) as name))
        or held.relation in (
            select inhrelid from pg_inherits
            where inhparent = any(array(select to_regclass(format('app.%%I', name)) from unnest(%(tables)s::text[]) as name))
        )
    )
order by activity.xact_start, held.pid;
