-- Sessions and days of histories tables that may have changed.
-- in:  %(crew_ids)s, %(oids)s: crews and the oids of their tables and partitions, pair by pair;
--      %(seen)s, %(taken)s: logged between these snapshots;
--      %(asked_crews)s, %(asked_sessions)s: only of these sessions, pair by pair, or null;
--      %(after)s: position after which to go on, or null (of one crew only); %(rows)s: how many
-- out: keys (crew_id, session_id, start_day, end_day, position)
create temporary table keys on commit drop as
select
    source.crew_id,
    change.session_id,
    change.activity_date as start_day,
    change.activity_date + 1 as end_day,
    to_char(change.activity_date, 'YYYY-MM-DD') || ' ' || change.session_id as position
from analytics.session_changes as change
inner join unnest(%(crew_ids)s::uuid[], %(oids)s::oid[]) as source (crew_id, oid) on source.oid = change.table_oid
where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
    and (
        %(asked_crews)s::uuid[] is null
        or (source.crew_id, change.session_id) in (
            select
                crew_id,
                session_id
            from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
        )
    )
    and change.operation in ('insert', 'update', 'delete')
    and change.activity_date >= '0001-01-02'
    and change.activity_date < '9999-12-30'
    and (
        %(after)s::text is null
        or (change.activity_date, change.session_id collate "C") > (left(%(after)s::text, 10)::date, substr(%(after)s::text, 12))
    )
group by source.crew_id, change.session_id, change.activity_date
order by change.activity_date, change.session_id collate "C"
limit %(rows)s;
