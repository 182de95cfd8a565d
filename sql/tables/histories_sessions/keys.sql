-- Sessions and days of histories tables that may have changed.
-- By hand: the sources are histories tables, a table for each crew.
-- in:  %(crew_ids)s, %(oids)s: crews and the oids of their tables and partitions, pair by pair;
--      %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots;
--      %(asked_crews)s, %(asked_sessions)s: only of these sessions, pair by pair, or null
-- out: crew_id, session_id, start_day, end_day
select
    source.crew_id,
    change.session_id,
    change.activity_date as start_day,
    change.activity_date + 1 as end_day
from analytics.session_changes as change
inner join unnest(%(crew_ids)s::uuid[], %(oids)s::oid[]) as source (crew_id, oid) on source.oid = change.table_oid
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and (
        %(asked_crews)s::uuid[] is null
        or (source.crew_id, change.session_id) in (
            select
                crew_id,
                session_id
            from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
        )
    )
    and change.operation in ('insert', 'update', 'move', 'delete')
    and change.activity_date >= '0001-01-02'
    and change.activity_date < '9999-12-30'
group by source.crew_id, change.session_id, change.activity_date;
