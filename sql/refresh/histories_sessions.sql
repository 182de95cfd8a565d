-- histories_sessions: one row per session and UTC day of one crew, recomputed from its histories table.
-- in:  {histories}; %(crew_id)s; %(window_start)s, %(window_end)s: whole UTC days, half-open;
--      %(after_id)s, %(up_to_id)s: only the sessions with a row in (after_id, up_to_id], or null for all;
--      %(archived_before)s: rows of earlier days are kept, and replaced only by rows that count more
-- out: one row: inserted, updated, deleted, unchanged (session-days)
with changed as (
    select distinct session_id from {histories}
    where id > %(after_id)s::bigint and id <= %(up_to_id)s::bigint
),

messages as (
    select session_id, created_at, message ->> 'type' as type
    from {histories}
    where created_at >= %(window_start)s::timestamptz and created_at < %(window_end)s::timestamptz
        and session_id is not null
        and (%(after_id)s::bigint is null or session_id in (select session_id from changed))
    offset 0  -- extracts the type once, not once per aggregate
),

days as (
    select
        session_id,
        (created_at at time zone 'UTC')::date as activity_date,
        count(*) as message_count,
        count(*) filter (where type = 'human') as human_count,
        count(*) filter (where type = 'ai') as ai_count,
        min(created_at) as first_message_at,
        max(created_at) as last_message_at,
        min(created_at) filter (where type = 'human') as first_human_at,
        min(created_at) filter (where type = 'ai') as first_ai_at,
        array_agg(created_at) filter (where type = 'ai') as ai_times
    from messages
    group by 1, 2
),

wanted as (
    select
        *,
        case
            when first_ai_at >= first_human_at then first_ai_at
            else (select min(ai_at) from unnest(ai_times) as ai_at where ai_at >= first_human_at)
        end as first_response_at
    from days
),

present as (
    select * from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid
        and activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
        and (%(after_id)s::bigint is null or session_id in (select session_id from changed))
),

different as materialized (
    select
        coalesce(wanted.session_id, present.session_id) as session_id,
        coalesce(wanted.activity_date, present.activity_date) as activity_date,
        wanted.message_count,
        wanted.human_count,
        wanted.ai_count,
        wanted.first_message_at,
        wanted.last_message_at,
        wanted.first_human_at,
        wanted.first_ai_at,
        wanted.first_response_at
    from wanted
    full join present on present.session_id = wanted.session_id and present.activity_date = wanted.activity_date
    where (
        wanted.message_count, wanted.human_count, wanted.ai_count, wanted.first_message_at, wanted.last_message_at,
        wanted.first_human_at, wanted.first_ai_at, wanted.first_response_at
    ) is distinct from (
        present.message_count, present.human_count, present.ai_count, present.first_message_at, present.last_message_at,
        present.first_human_at, present.first_ai_at, present.first_response_at
    )
    and (
        present.activity_date is null
        or present.activity_date >= %(archived_before)s::date
        or wanted.message_count > present.message_count
    )
),

saved as (
    insert into analytics.histories_sessions as target (
        crew_id, session_id, activity_date, message_count, human_count, ai_count,
        first_message_at, last_message_at, first_human_at, first_ai_at, first_response_at
    )
    select
        %(crew_id)s::uuid, session_id, activity_date, message_count, human_count, ai_count,
        first_message_at, last_message_at, first_human_at, first_ai_at, first_response_at
    from different
    where message_count is not null
    on conflict (crew_id, session_id, activity_date) do update set
        message_count = excluded.message_count,
        human_count = excluded.human_count,
        ai_count = excluded.ai_count,
        first_message_at = excluded.first_message_at,
        last_message_at = excluded.last_message_at,
        first_human_at = excluded.first_human_at,
        first_ai_at = excluded.first_ai_at,
        first_response_at = excluded.first_response_at,
        refreshed_at = now()
    returning target.xmax = 0 as is_new
),

removed as (
    delete from analytics.histories_sessions as target
    using different
    where target.crew_id = %(crew_id)s::uuid
        and target.session_id = different.session_id
        and target.activity_date = different.activity_date
        and different.message_count is null
    returning target.session_id
),

stale as (  -- a removed row leaves no refreshed_at behind: its summary must be told
    update analytics.conversation_summaries as summary
    set refreshed_at = '-infinity'
    from app.conversations as conversation
    where conversation.crew_id = %(crew_id)s::uuid
        and conversation.session_id in (select session_id from removed)
        and summary.conversation_id = conversation.id
),

counts as (
    select
        (select count(*) from saved where is_new) as inserted,
        (select count(*) from saved where not is_new) as updated,
        (select count(*) from removed) as deleted,
        (select count(*) from present) as before
)

select inserted, updated, deleted, before - updated - deleted as unchanged
from counts;
