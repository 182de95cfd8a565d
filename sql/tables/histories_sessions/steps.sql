-- name: part
-- The messages of one crew.
-- in:  {relation}; {part}: the crew; keys: sessions and days, or (%(is_whole)s) all sessions of a span of days
-- out: crew_id, session_id, activity_date, created_at, type
select
    {part}::uuid as crew_id,
    history.session_id,
    (history.created_at at time zone 'UTC')::date as activity_date,
    history.created_at,
    analytics.message_type(history.message) as type
from (
    select distinct
        start_day,
        end_day
    from keys
    where crew_id = {part}::uuid
) as span
cross join lateral (
    select
        session_id::text collate "default" as session_id,
        created_at,
        message
    from {relation}
    where created_at >= span.start_day::timestamp at time zone 'UTC'
        and created_at < span.end_day::timestamp at time zone 'UTC'
        and analytics.is_usable_session(session_id::text)
        and (
            %(is_whole)s
            or (session_id::text collate "default", (created_at at time zone 'UTC')::date) in (
                select session_id, start_day from keys
                where crew_id = {part}::uuid
            )
        )
) as history;


-- name: is_present
-- Which session-days the keys concern.
-- in:  keys: sessions and days
(crew_id, session_id, activity_date) in (select crew_id, session_id, start_day from keys);


-- name: is_present_of_days
-- Which session-days the keys concern: all sessions of a span of days.
-- in:  keys: of one crew
crew_id = any(array(select crew_id from keys))
and activity_date >= (select min(start_day) from keys)
and activity_date < (select max(end_day) from keys);


-- name: odd
-- Messages of no known type, which are neither human nor ai.
-- in:  computed: the rows that there should be, with found_count and known_count
-- out: part (the crew), kind, rows, example
select
    crew_id as part,
    'messages of no known type' as kind,
    coalesce(sum(found_count - known_count), 0)::bigint as rows,
    min(session_id) filter (where found_count > known_count) as example
from computed
group by crew_id;


-- name: is_news
-- Whether a session-day has new messages, or only corrected ones.
-- in:  wanted, present: the row as it should be, and as it is
wanted.message_count > coalesce(present.message_count, 0)
or wanted.last_message_at > present.last_message_at;


-- name: rows_read
-- The number of messages that were read, by crew.
-- in:  computed: the rows that there should be, with found_count
select jsonb_object_agg(crew_id, messages) from (
    select
        crew_id,
        coalesce(sum(found_count), 0) as messages
    from computed
    group by crew_id
) as read;


-- name: propagate
-- Logs changed session-days with the transactions that wrote them: those that inserted rows; else those that updated rows; else
-- those that had the whole table read; else this one.
-- If no table that follows has been built, it logs only what they need to know of deleted conversations. That is messages that
-- were written one by one. If conversations were deleted, it is all messages. Triggers, while the lake follows, log the rows once
-- more: they do not know these transactions.
-- in:  diff; %(unread_since)s: the watermark, or null; %(written_at)s: when the oldest change was made, or null; %(is_awaited)s:
--      whether one has
-- out: histories_sessions_changes
with sources as (
    select
        state.crew_id,
        unnest(source.members) as table_oid
    from analytics.crew_discovery_state as state
    inner join analytics.capture_state as source on source.table_name = state.histories_table_name
    where state.crew_id in (select crew_id from diff)
),

written as (
    select
        sources.crew_id,
        change.session_id,
        change.activity_date,
        array_agg(distinct writer.xid) filter (where change.operation = 'insert') as inserted_by,
        array_agg(distinct writer.xid) as written_by
    from analytics.session_changes as change
    inner join sources using (table_oid)
    cross join lateral unnest(coalesce(change.xids, array[change.xid])) as writer (xid)
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and change.operation in ('insert', 'update', 'move')
        and (change.session_id, change.activity_date) in (select session_id, activity_date from diff)
    group by sources.crew_id, change.session_id, change.activity_date
),

read_as_a_whole as (
    select
        sources.crew_id,
        array_agg(distinct change.xid) as read_by
    from analytics.session_changes as change
    inner join sources using (table_oid)
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot) and change.operation in ('everything', 'truncate')
    group by sources.crew_id
)

insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation, logged_at, xids)
select
    crew_id,
    session_id,
    activity_date,
    case diff.change when 'inserted' then 'insert' when 'updated' then 'update' else 'delete' end,
    coalesce(%(written_at)s::timestamptz, now()),
    coalesce(
        written.inserted_by,
        case when diff.is_news then coalesce(written.written_by, read_as_a_whole.read_by, array[pg_current_xact_id()]) end
    )
from diff
left join written using (crew_id, session_id, activity_date)
left join read_as_a_whole using (crew_id)
where diff.change <> 'locked'
    and (select analytics.triggers_log('analytics.histories_sessions', %(written_at)s::timestamptz)) is not null
    and (
        %(is_awaited)s
        or written.crew_id is not null
        or exists (select from analytics.deleted_conversations)
        or exists (
            select from analytics.conversations_changes
            where operation in ('delete', 'update') and crew_id is not null
        )
        or exists (
            select from analytics.conversations_changes
            where operation = 'truncate'
        )
    );
