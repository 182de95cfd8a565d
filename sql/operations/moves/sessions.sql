-- Puts archived session-days where there are none that count more.
-- in:  moved
-- out: one row: rows
with archived as (
    select day.*
    from moved
    cross join lateral jsonb_populate_record(null::analytics.histories_sessions, line -> 'row') as day
    where line ->> 'table' = 'histories_sessions'
),

written as (
    insert into analytics.histories_sessions as present
    select * from archived
    on conflict (crew_id, session_id, activity_date) do update set
        message_count = excluded.message_count,
        human_count = excluded.human_count,
        ai_count = excluded.ai_count,
        first_message_at = least(present.first_message_at, excluded.first_message_at),
        last_message_at = greatest(present.last_message_at, excluded.last_message_at),
        first_human_at = least(present.first_human_at, excluded.first_human_at),
        first_ai_at = least(present.first_ai_at, excluded.first_ai_at),
        first_response_at = excluded.first_response_at,
        archived_at = excluded.archived_at
    where excluded.message_count > present.message_count
    returning crew_id, session_id, activity_date
),

logged as (
    insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation)
    select
        crew_id,
        session_id,
        activity_date,
        'update'
    from written
)

select count(*) as rows from written;
