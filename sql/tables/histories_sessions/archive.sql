-- Marks session-days as archive that were old when rows of them were deleted. For use before the log of these deletions is
-- deleted; rows.sql does it otherwise. Session-days that another session has locked are logged for retry.
-- in:  %(unread_since)s: the watermark, or null: all changes in the log; %(archive_after_days)s
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
    where change.operation in ('delete', 'truncate')
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
    group by state.crew_id, change.session_id, change.activity_date
),

found as (
    select
        day.crew_id,
        day.session_id,
        day.activity_date,
        day.archived_at,
        deleted.table_oid,
        deleted.at
    from deleted
    inner join analytics.histories_sessions as day
        on day.crew_id = deleted.crew_id
            and day.session_id = deleted.session_id
            and day.activity_date = deleted.activity_date
    union all
    select
        day.crew_id,
        day.session_id,
        day.activity_date,
        day.archived_at,
        deleted.table_oid,
        deleted.at
    from deleted
    inner join analytics.histories_sessions as day on day.crew_id = deleted.crew_id
    where deleted.session_id is null
),

old as materialized (
    select
        crew_id,
        session_id,
        activity_date,
        min(table_oid) as table_oid,
        max(at) as at
    from found
    where archived_at is null and activity_date < (at at time zone 'UTC')::date - %(archive_after_days)s::int
    group by crew_id, session_id, activity_date
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
)

update analytics.histories_sessions as day
set archived_at = old.at
from old
inner join locked using (crew_id, session_id, activity_date)
where day.crew_id = old.crew_id
    and day.session_id = old.session_id
    and day.activity_date = old.activity_date;
