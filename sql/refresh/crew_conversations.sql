-- crew_conversations: a row of app.conversations for each session of one crew that has none yet.
-- in:  %(crew_id)s, %(client_id)s; %(window_start)s, %(window_end)s: half-open;
--      %(by_activity)s: sessions active in the window too, not only those refreshed in it
-- out: one row: inserted (new), unchanged (already there); updated and deleted are always 0
with sessions as (
    select distinct session_id from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid
        and (
            refreshed_at >= %(window_start)s::timestamptz and refreshed_at < %(window_end)s::timestamptz
            or %(by_activity)s
            and activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
            and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
        )
),

missing as materialized (
    select session_id from sessions
    where not exists (
        select from app.conversations as conversation
        where conversation.crew_id = %(crew_id)s::uuid and conversation.session_id = sessions.session_id
    )
    order by session_id  -- looked up before the first insert: never in a table that grows meanwhile
),

created as (
    insert into app.conversations (id, channel, external_id, client_id, crew_id, session_id, started_at)
    select
        gen_random_uuid(),
        'crew',
        session_id,
        %(client_id)s::uuid,
        %(crew_id)s::uuid,
        session_id,
        (
            select min(day.first_message_at) from analytics.histories_sessions as day
            where day.crew_id = %(crew_id)s::uuid and day.session_id = missing.session_id
        )
    from missing
    on conflict (crew_id, session_id) do nothing
    returning 1
),

counted as (
    update analytics.crew_discovery_state
    set conversations_created = conversations_created + (select count(*) from created)
    where crew_id = %(crew_id)s::uuid and exists (select from created)
)

select
    (select count(*) from created) as inserted,
    0::bigint as updated,
    0::bigint as deleted,
    (select count(*) from sessions) - (select count(*) from created) as unchanged;
