-- The oldest transaction that has written: snapshots, and with them log trimming, wait for it.
-- out: at most one row: transaction, pid (null if prepared), role, since (null if hidden from this role), state
select
    oldest.xid::text as "transaction",
    activity.pid,
    coalesce(activity.usename::text, prepared.owner::text || ', prepared as ' || prepared.gid) as role,
    to_char(coalesce(activity.xact_start, prepared.prepared), 'YYYY-MM-DD HH24:MI:SS') as since,
    coalesce(activity.state, case when prepared.gid is not null then 'prepared' end) as state
from (
    select
        pg_snapshot_xmin(pg_current_snapshot()) as xid,
        pg_snapshot_xmax(pg_current_snapshot()) as next_xid
) as oldest
left join pg_stat_activity as activity on activity.backend_xid::text = mod(oldest.xid::text::numeric, 4294967296)::text
left join pg_prepared_xacts as prepared on prepared.transaction::text = mod(oldest.xid::text::numeric, 4294967296)::text
where oldest.xid < oldest.next_xid;
