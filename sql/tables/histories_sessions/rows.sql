-- histories_sessions: one row per crew, session and UTC day, recomputed from the crews' histories tables. A day that was
-- old when rows of it were deleted is archive: of the stored and the computed row, the one that counts more is kept. Where the
-- log does not say of which days rows were deleted (TRUNCATE, a partition that is gone), it is a day that counts fewer rows than
-- it did, unless an update moved some away.
-- in:  {parts}: the messages of each crew, see part.sql; keys: sessions and days, or (%(is_whole)s) all sessions of some days;
--      present: their rows; %(crew_ids)s, %(oids)s: crews and the oids of their tables and partitions, pair by pair;
--      %(unread_since)s: the watermark, or null;
--      %(archive_after_days)s; %(forget)s: archive follows its source, too
-- out: also found_count, known_count: messages found, and of a known type
with messages as (
    select * from (
{parts}
    ) as message
    offset 0  -- extracts the type once, not once per aggregate
),

days as (
    select
        crew_id,
        session_id,
        activity_date,
        count(*) as message_count,
        count(*) filter (where type = 'human') as human_count,
        count(*) filter (where type = 'ai') as ai_count,
        count(*) filter (where type = 'tool_call') as tool_call_count,
        count(type) as known_count,
        min(created_at) as first_message_at,
        max(created_at) as last_message_at,
        min(created_at) filter (where type = 'human') as first_human_at,
        min(created_at) filter (where type = 'ai') as first_ai_at,
        max(created_at) filter (where type = 'human') as last_human_at,
        max(created_at) filter (where type = 'ai') as last_ai_at,
        array_agg(created_at) filter (where type = 'human') as human_times,
        array_agg(created_at) filter (where type = 'ai') as ai_times
    from messages
    group by crew_id, session_id, activity_date
),

found as (
    select
        *,
        case
            when first_ai_at >= first_human_at then first_ai_at
            else (select min(ai_at) from unnest(ai_times) as ai_at where ai_at >= first_human_at)
        end as first_response_at,
        case
            when last_ai_at is null then first_human_at
            when last_human_at > last_ai_at
                then (select min(human_at) from unnest(human_times) as human_at where human_at > last_ai_at)
        end as unanswered_since
    from days
),

pruned as materialized (  -- in this statement's snapshot, so that the deletions that it sees are recognized
    select
        source.crew_id,
        change.session_id,
        change.activity_date,
        max(change.logged_at) filter (where change.operation <> 'move') as deleted_at,
        bool_or(change.operation = 'move') as is_moved
    from analytics.session_changes as change
    inner join unnest(%(crew_ids)s::uuid[], %(oids)s::oid[]) as source (crew_id, oid) on source.oid = change.table_oid
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and change.operation in ('delete', 'move', 'truncate')
    group by source.crew_id, change.session_id, change.activity_date
),

truncated as (
    select
        crew_id,
        max(at) as at
    from (
        select
            crew_id,
            deleted_at as at
        from pruned
        where session_id is null
        union all
        select
            crew_id,
            pruned_at
        from analytics.crew_discovery_state
        where crew_id = any(%(crew_ids)s::uuid[])
    ) as known
    where at is not null
    group by crew_id
),

left_over as (  -- nothing to compare with, unless a table was truncated
    select
        crew_id,
        session_id,
        activity_date,
        message_count
    from found
    where exists (select from truncated)
),

archived as (
    select
        present.*,
        coalesce(present.archived_at, deleted.at) as since
    from present
    left join pruned
        on pruned.crew_id = present.crew_id
            and pruned.session_id = present.session_id
            and pruned.activity_date = present.activity_date
    left join left_over
        on left_over.crew_id = present.crew_id
            and left_over.session_id = present.session_id
            and left_over.activity_date = present.activity_date
    left join analytics.unjudged_moves as unjudged
        on unjudged.crew_id = present.crew_id
            and unjudged.session_id = present.session_id
            and unjudged.activity_date = present.activity_date
    left join truncated
        on truncated.crew_id = present.crew_id
            and pruned.is_moved is not true
            and unjudged.crew_id is null
            and coalesce(left_over.message_count, 0) < present.message_count
    cross join lateral (
        select max(candidate.at) as at
        from (values (pruned.deleted_at), (truncated.at)) as candidate (at)
        where present.activity_date < (candidate.at at time zone 'UTC')::date - %(archive_after_days)s::int
    ) as deleted
    where not %(forget)s and coalesce(present.archived_at, deleted.at) is not null
)

select
    crew_id, session_id, activity_date, found.message_count, found.human_count, found.ai_count, found.tool_call_count,
    least(found.first_message_at, archived.first_message_at) as first_message_at,
    greatest(found.last_message_at, archived.last_message_at) as last_message_at,
    found.first_human_at, found.last_human_at, found.first_ai_at, found.last_ai_at, found.first_response_at,
    found.unanswered_since, archived.since as archived_at,
    found.message_count as found_count, found.known_count
from found
left join archived using (crew_id, session_id, activity_date)
where archived.message_count is null or found.message_count >= archived.message_count
union all
select
    crew_id, session_id, activity_date, archived.message_count, archived.human_count, archived.ai_count,
    archived.tool_call_count, least(archived.first_message_at, found.first_message_at),
    greatest(archived.last_message_at, found.last_message_at),
    archived.first_human_at, archived.last_human_at, archived.first_ai_at, archived.last_ai_at, archived.first_response_at,
    archived.unanswered_since, archived.since,
    found.message_count, found.known_count
from archived
left join found using (crew_id, session_id, activity_date)
where found.message_count is null or found.message_count < archived.message_count;
