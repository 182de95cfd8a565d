-- Logs again what a tick left undone of one histories table: its keys, or where they are many, everything from a day on.
-- in:  %(members)s: oids of the table and its partitions; %(seen)s, %(taken)s: logged between these snapshots;
--      %(after)s: position (day and session) after which nothing was done, or null; %(most)s: how many keys are many;
--      %(from_day)s: and everything from this day on, or null; %(from_session)s: of that day, after this session, or null
with rest as (
    select
        min(table_oid) as table_oid,
        session_id,
        activity_date
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
),

counted as (
    select count(*) as keys from rest
)

insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
select
    table_oid,
    session_id,
    activity_date,
    'update'
from rest
where (select keys from counted) <= %(most)s
union all
select
    (%(members)s::oid[])[1],
    case when min(activity_date) = left(%(after)s::text, 10)::date then substr(%(after)s::text, 12) end,
    min(activity_date),
    'everything'
from rest
having (select keys from counted) > %(most)s
union all
select
    (%(members)s::oid[])[1],
    %(from_session)s::text,
    %(from_day)s::date,
    'everything'
where %(from_day)s::date is not null;
