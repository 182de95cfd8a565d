-- Transactions that hold, or wait for, locks on tables of app or their partitions: locks that prevent reading, or with is_any
-- any lock, which prevents altering. If no table is named, also refreshes that others wait for.
-- in:  %(tables)s: null: all of app and analytics, and those that views of app read; %(is_any)s
-- out: pid, who (the role), since (both null if this role may not see them), prepared (the name of a prepared transaction, or
--      null), table_name, waits_for (pids, 0 for a prepared transaction; null if it holds the lock); one row per transaction,
--      holders first, the oldest first
with recursive named as (
    select to_regclass(format('app.%%I', name))::oid as oid
    from unnest(%(tables)s::text[]) as name
    union
    select inhrelid
    from pg_inherits
    inner join named on named.oid = inhparent
),

tables as (
    select oid
    from named
    union
    select pg_class.oid
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('app', 'analytics') and %(tables)s::text[] is null
    union
    select depend.refobjid
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    inner join pg_rewrite on ev_class = pg_class.oid
    inner join pg_depend as depend
        on depend.classid = 'pg_rewrite'::regclass and depend.objid = pg_rewrite.oid and depend.refclassid = 'pg_class'::regclass
    where nspname = 'app' and %(tables)s::text[] is null
),

transactions as (
    select distinct on (held.pid, held.virtualtransaction)
        held.pid,
        coalesce(activity.usename::text, prepared.owner::text) as who,
        coalesce(activity.xact_start, prepared.prepared) as since,
        prepared.gid as prepared,
        held.relation::regclass::text as table_name,
        case when not held.granted then pg_blocking_pids(held.pid) end as waits_for
    from pg_locks as held
    inner join tables on tables.oid = held.relation
    left join pg_stat_activity as activity on activity.pid = held.pid
    left join lateral (
        select pg_prepared_xacts.*
        from pg_locks as own
        inner join pg_prepared_xacts on pg_prepared_xacts.transaction = own.transactionid
        where own.pid is null and held.pid is null and own.virtualtransaction = held.virtualtransaction
    ) as prepared on true
    where held.database = (select oid from pg_database where datname = current_database())
        and held.pid is distinct from pg_backend_pid()
        and (held.mode = 'AccessExclusiveLock' or %(is_any)s)
    order by held.pid, held.virtualtransaction, held.granted, held.relation
),

refreshes as (
    select distinct
        blocker.pid,
        blocker.usename::text as who,
        blocker.xact_start as since,
        null::text as prepared,
        'a refresh' as table_name,
        null::int[] as waits_for
    from pg_stat_activity as waiting
    cross join unnest(pg_blocking_pids(waiting.pid)) as held (pid)
    inner join pg_stat_activity as blocker on blocker.pid = held.pid
    where %(tables)s::text[] is null
        and waiting.datname = current_database()
        and waiting.wait_event_type = 'Lock'
        and waiting.wait_event = 'advisory'
)

select *
from (
    select * from transactions
    union all
    select * from refreshes
) as blockers
order by waits_for is not null, since, pid;
