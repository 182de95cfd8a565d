-- histories_sessions: one row per session and UTC day of one crew, recomputed from its histories table. A day that was
-- old when rows of it were deleted is archive: of the stored and the computed row, the one that counts more is kept.
-- in:  {histories}; keys: sessions and days, or (%(is_whole)s) all sessions of a span of days; present: their rows;
--      %(crew_id)s; %(members)s: oids of the table and its partitions; %(unread_since)s: the watermark, or null;
--      %(archive_after_days)s; %(forget)s: archive follows its source, too
-- out: also found_count, known_count: messages found, and of a known type
with sought as materialized (
    select
        session_id,
        start_day,
        end_day
    from pg_temp.keys
    where crew_id = %(crew_id)s::uuid
),

spans as (
    select distinct
        start_day,
        end_day
    from sought
),

messages as (
    select
        history.session_id,
        (history.created_at at time zone 'UTC')::date as activity_date,
        history.created_at,
        analytics.message_type(history.message) as type
    from spans
    cross join lateral (
        select
            session_id::text collate "default" as session_id,
            created_at,
            message
        from {histories}
        where created_at >= spans.start_day::timestamp at time zone 'UTC'
            and created_at < spans.end_day::timestamp at time zone 'UTC'
            and analytics.is_usable_session(session_id::text)
            and (
                %(is_whole)s
                or (session_id::text collate "default", (created_at at time zone 'UTC')::date) in (
                    select session_id, start_day from sought
                )
            )
    ) as history
    offset 0  -- extracts the type once, not once per aggregate
),

days as (
    select
        session_id,
        activity_date,
        count(*) as message_count,
        count(*) filter (where type = 'human') as human_count,
        count(*) filter (where type = 'ai') as ai_count,
        count(*) filter (where type in ('human', 'ai', 'tool', 'system', 'function', 'generic')) as known_count,
        min(created_at) as first_message_at,
        max(created_at) as last_message_at,
        min(created_at) filter (where type = 'human') as first_human_at,
        min(created_at) filter (where type = 'ai') as first_ai_at,
        array_agg(created_at) filter (where type = 'ai') as ai_times
    from messages
    group by session_id, activity_date
),

found as (
    select
        *,
        case
            when first_ai_at >= first_human_at then first_ai_at
            else (select min(ai_at) from unnest(ai_times) as ai_at where ai_at >= first_human_at)
        end as first_response_at
    from days
),

pruned as materialized (  -- in this statement's snapshot, so that the deletions that it sees are recognized
    select
        session_id,
        activity_date,
        max(logged_at) as deleted_at
    from analytics.session_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        and table_oid = any(%(members)s::oid[])
        and operation in ('delete', 'truncate')
    group by session_id, activity_date
),

archived as (
    select
        present.*,
        coalesce(present.archived_at, deleted.at) as since
    from present
    left join pruned on pruned.session_id = present.session_id and pruned.activity_date = present.activity_date
    cross join (select max(deleted_at) as at from pruned where session_id is null) as truncated
    cross join lateral (
        select max(candidate.at) as at
        from (values (pruned.deleted_at), (truncated.at)) as candidate (at)
        where present.activity_date < (candidate.at at time zone 'UTC')::date - %(archive_after_days)s::int
    ) as deleted
    where not %(forget)s and coalesce(present.archived_at, deleted.at) is not null
)

select
    %(crew_id)s::uuid as crew_id,
    session_id, activity_date, found.message_count, found.human_count, found.ai_count,
    least(found.first_message_at, archived.first_message_at) as first_message_at,
    greatest(found.last_message_at, archived.last_message_at) as last_message_at,
    found.first_human_at, found.first_ai_at, found.first_response_at, archived.since as archived_at,
    found.message_count as found_count, found.known_count
from found
left join archived using (session_id, activity_date)
where archived.message_count is null or found.message_count >= archived.message_count
union all
select
    %(crew_id)s::uuid,
    session_id, activity_date, archived.message_count, archived.human_count, archived.ai_count,
    least(archived.first_message_at, found.first_message_at),
    greatest(archived.last_message_at, found.last_message_at),
    archived.first_human_at, archived.first_ai_at, archived.first_response_at, archived.since,
    found.message_count, found.known_count
from archived
left join found using (session_id, activity_date)
where found.message_count is null or found.message_count < archived.message_count;
