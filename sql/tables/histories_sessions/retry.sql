-- Logs retries of one histories table: the keys that a tick left undone, with the transactions that wrote them, or, if they are
-- many, everything from a day on.
-- in:  %(members)s: oids of the table and its partitions; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots;
--      %(after_day)s, %(after_session)s: the last key that was done, or null; %(most)s: how many keys are many;
--      %(from_day)s: and everything from this day on, or null; %(from_session)s: of that day, after this session, or null
with rest as (
    select
        min(table_oid) as table_oid,
        session_id,
        activity_date,
        array_agg(distinct writer.xid) filter (where operation = 'insert') as inserted_by,
        array_agg(distinct writer.xid) as written_by,
        bool_or(operation = 'move') as is_moved
    from analytics.session_changes as change
    cross join lateral unnest(coalesce(change.xids, array[change.xid])) as writer (xid)
    where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and table_oid = any(%(members)s::oid[])
        and operation in ('insert', 'update', 'move', 'delete')
        and activity_date >= '0001-01-02' and activity_date < '9999-12-30'
        and (
            %(after_day)s::date is null
            or (activity_date, session_id collate "C") > (%(after_day)s::date, %(after_session)s::text)
        )
    group by session_id, activity_date
),

counted as (
    select count(*) as keys from rest
)

insert into analytics.session_changes (table_oid, session_id, activity_date, operation, xids)
select
    table_oid,
    session_id,
    activity_date,
    case when inserted_by is not null then 'insert' when is_moved then 'move' else 'update' end,
    coalesce(inserted_by, written_by)
from rest
where (select keys from counted) <= %(most)s
union all
select
    table_oid,
    session_id,
    activity_date,
    'move',
    written_by
from rest
where inserted_by is not null and is_moved and (select keys from counted) <= %(most)s
union all
select
    (%(members)s::oid[])[1],
    case when min(activity_date) = %(after_day)s::date then %(after_session)s::text end,
    min(activity_date),
    'everything',
    null
from rest
having (select keys from counted) > %(most)s
union all
select
    (%(members)s::oid[])[1],
    %(from_session)s::text,
    %(from_day)s::date,
    'everything',
    null
where %(from_day)s::date is not null;
