-- name: archive
-- Marks session-days as archive that were old when rows of them were deleted, and the log says so of each (the others: see
-- prunings.sql). For use before the log of these deletions is deleted; rows.sql does it otherwise. Session-days that another
-- session has locked are logged for retry.
-- in:  %(unread_since)s: the watermark, or null: all changes in the log; %(archive_after_days)s
-- out: one row: is_left (whether some were logged for retry)
with deleted as (
    select
        state.crew_id,
        change.session_id,
        change.activity_date,
        min(change.table_oid) as table_oid,
        max(change.logged_at) as at
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    where change.operation = 'delete'
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
    group by state.crew_id, change.session_id, change.activity_date
),

old as materialized (
    select
        day.crew_id,
        day.session_id,
        day.activity_date,
        deleted.table_oid,
        deleted.at
    from deleted
    inner join analytics.histories_sessions as day using (crew_id, session_id, activity_date)
    where day.archived_at is null and day.activity_date < (deleted.at at time zone 'UTC')::date - %(archive_after_days)s::int
),

locked as materialized (
    select
        crew_id,
        session_id,
        activity_date
    from analytics.histories_sessions
    where (crew_id, session_id, activity_date) in (select crew_id, session_id, activity_date from old)
    order by crew_id, session_id, activity_date
    for update skip locked
),

left_for_later as (
    insert into analytics.session_changes (table_oid, session_id, activity_date, operation, logged_at)
    select
        table_oid,
        session_id,
        activity_date,
        'delete',
        at
    from old
    where (crew_id, session_id, activity_date) not in (select crew_id, session_id, activity_date from locked)
    returning 1
),

marked as (
    update analytics.histories_sessions as day
    set archived_at = old.at
    from old
    inner join locked using (crew_id, session_id, activity_date)
    where day.crew_id = old.crew_id
        and day.session_id = old.session_id
        and day.activity_date = old.activity_date
)

select exists(select from left_for_later) as is_left;


-- name: prunings
-- Remembers of crews that the log says of their tables that rows were deleted, but not whose: the run that reads the whole table
-- sees it. Until then it is remembered, too, of which old session-days rows were moved away. Crews that have read their table
-- forget both.
-- in:  %(unread_since)s: the watermark, or null: all changes in the log; %(read)s: crews whose whole table has been read since
with pruned as (
    select
        state.crew_id,
        max(change.logged_at) as at
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    where change.operation = 'truncate'
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and state.crew_id <> all(%(read)s::uuid[])
    group by state.crew_id
),

forgotten as (
    update analytics.crew_discovery_state
    set pruned_at = null
    where crew_id = any(%(read)s::uuid[]) and pruned_at is not null
),

settled as (
    delete from analytics.unjudged_moves
    where crew_id = any(%(read)s::uuid[])
        or crew_id not in (select crew_id from analytics.crew_discovery_state where pruned_at is not null)
),

moved as (
    insert into analytics.unjudged_moves (crew_id, session_id, activity_date)
    select distinct
        day.crew_id,
        day.session_id,
        day.activity_date
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    inner join analytics.histories_sessions as day
        on day.crew_id = state.crew_id and day.session_id = change.session_id and day.activity_date = change.activity_date
    where change.operation = 'move'
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and state.crew_id <> all(%(read)s::uuid[])
        and (state.pruned_at is not null or state.crew_id in (select crew_id from pruned))
    on conflict do nothing
)

update analytics.crew_discovery_state as state
set pruned_at = greatest(state.pruned_at, pruned.at)
from pruned
where state.crew_id = pruned.crew_id;
