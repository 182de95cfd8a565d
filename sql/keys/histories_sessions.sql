-- Sessions and days of a histories table that may have changed.
-- in:  %(members)s: oids of the table and its partitions; %(seen)s, %(taken)s: logged between these snapshots;
--      %(after)s: position after which to go on, or null; %(rows)s: how many
-- out: keys (session_id, start_day, end_day, position)
create temporary table keys on commit drop as
select
    session_id,
    activity_date as start_day,
    activity_date + 1 as end_day,
    to_char(activity_date, 'YYYY-MM-DD') || ' ' || session_id as position
from analytics.session_changes
where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
    and table_oid = any(%(members)s::oid[])
    and operation in ('insert', 'update', 'delete')
    and activity_date >= '0001-01-02' and activity_date < '9999-12-30'
    and (
        %(after)s::text is null
        or (activity_date, session_id collate "C") > (left(%(after)s::text, 10)::date, substr(%(after)s::text, 12))
    )
group by session_id, activity_date
order by activity_date, session_id collate "C"
limit %(rows)s;
