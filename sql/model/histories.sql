-- name: archived_days
-- Counts the session-days of a crew that are archive.
-- in:  %(crew_id)s; %(first_day)s, %(after_day)s: UTC days, half-open
-- out: one row: days
select count(*) as days from analytics.histories_sessions
where crew_id = %(crew_id)s::uuid
    and archived_at is not null
    and activity_date >= %(first_day)s::date and activity_date < %(after_day)s::date;


-- name: days_of_sessions
-- Days of sessions that a caller names, from the whole histories table: for crews whose log does not contain them all.
-- in:  {histories}; %(crew_id)s; %(asked_sessions)s: those of other crews do no harm
-- out: crew_id, session_id, start_day, end_day
select
    %(crew_id)s::uuid as crew_id,
    day.session_id,
    day.activity_date as start_day,
    day.activity_date + 1 as end_day
from (
    select
        session_id::text collate "default" as session_id,
        (created_at at time zone 'UTC')::date as activity_date
    from {histories}
    where created_at >= '0001-01-02'::date::timestamp at time zone 'UTC'
        and created_at < '9999-12-30'::date::timestamp at time zone 'UTC'
        and session_id::text collate "default" = any(%(asked_sessions)s::text[])
    union
    select
        session_id,
        activity_date
    from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid and session_id = any(%(asked_sessions)s::text[])
) as day;


-- name: whole
-- All days of small histories tables.
-- in:  %(crew_ids)s
-- out: crew_id, session_id (null: whole days), start_day, end_day
select distinct
    crew_id,
    null::text as session_id,
    '0001-01-02'::date as start_day,
    '9999-12-30'::date as end_day
from unnest(%(crew_ids)s::uuid[]) as small (crew_id);


-- name: days
-- Whole days of a histories table, as many as have about so many rows; or, of one day with more rows, so many sessions.
-- in:  {histories}; %(crew_id)s; %(start_day)s, %(end_day)s: half-open; %(after_session)s: continue after this session of the
--      first day, or null; %(most)s: how many rows, or sessions
-- out: crew_id, session_id (null: whole days), start_day, end_day
with rows as (
    select
        (
            select (created_at at time zone 'UTC')::date
            from {histories}
            where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
                and created_at < %(end_day)s::date::timestamp at time zone 'UTC'
            order by created_at
            limit 1
        ) as first_day,
        (
            select (created_at at time zone 'UTC')::date
            from {histories}
            where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
                and created_at < %(end_day)s::date::timestamp at time zone 'UTC'
            order by created_at
            offset %(most)s
            limit 1
        ) as last_day
),

span as (
    select
        %(after_session)s::text is not null
        or coalesce(first_day = last_day and first_day = %(start_day)s::date, false) as is_split,
        case
            when first_day = last_day then greatest(first_day, %(start_day)s::date + 1)
            else coalesce(last_day + 1, %(end_day)s::date)
        end as end_day
    from rows
)

select
    %(crew_id)s::uuid as crew_id,
    null::text as session_id,
    %(start_day)s::date as start_day,
    least(%(end_day)s::date, end_day) as end_day
from span
where not is_split
union all
(
    select
        %(crew_id)s::uuid,
        session.id,
        %(start_day)s::date,
        %(start_day)s::date + 1
    from (
        select session_id::text collate "default" as id
        from {histories}
        where created_at >= %(start_day)s::date::timestamp at time zone 'UTC'
            and created_at < (%(start_day)s::date + 1)::timestamp at time zone 'UTC'
            and analytics.is_usable_session(session_id::text)
            and (select is_split from span)
        union
        select session_id
        from analytics.histories_sessions
        where crew_id = %(crew_id)s::uuid and activity_date = %(start_day)s::date and (select is_split from span)
    ) as session
    where %(after_session)s::text is null or session.id collate "C" > %(after_session)s::text
    order by session.id collate "C"
    limit %(most)s
);


-- name: reached
-- Where a chunk of days ends.
-- in:  keys
-- out: one row: end_day, session_id (the last of a day that was read in part; null: whole days)
select
    end_day,
    session_id
from keys
order by session_id collate "C" desc
limit 1;


-- name: retry
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
