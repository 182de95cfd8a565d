-- Who holds, or waits for, locks on tables of app, or on their partitions: those that let nobody read them, or, before a
-- migration, any.
-- in:  %(tables)s: null: all of app and analytics; %(is_any)s
-- out: pid, who, since (null: not this role's to see), table_name, waits_for: pids, null if it holds the lock; one row a
--      session, holders first, the oldest first
with named as (
    select to_regclass(format('app.%%I', name))::oid as oid
    from unnest(%(tables)s::text[]) as name
),

tables as (
    select oid
    from named
    union
    select inhrelid
    from pg_inherits
    inner join named on named.oid = inhparent
    union
    select pg_class.oid
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('app', 'analytics') and %(tables)s::text[] is null
),

sessions as (
    select distinct on (held.pid)
        held.pid,
        activity.usename::text as who,
        activity.xact_start as since,
        held.relation::regclass::text as table_name,
        case when not held.granted then pg_blocking_pids(held.pid) end as waits_for
    from pg_locks as held
    inner join tables on tables.oid = held.relation
    left join pg_stat_activity as activity on activity.pid = held.pid
    where held.database = (select oid from pg_database where datname = current_database())
        and held.pid <> pg_backend_pid()
        and (held.mode = 'AccessExclusiveLock' or %(is_any)s)
    order by held.pid, held.granted, held.relation
)

select *
from sessions
order by waits_for is not null, since, pid;
