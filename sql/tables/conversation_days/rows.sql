-- conversation_days: one row per conversation of a client and UTC day on which it had messages or was closed.
-- in:  keys: conversations
with subject as materialized (
    select
        summary.conversation_id,
        summary.client_id,
        summary.source,
        summary.crew_id,
        summary.session_id,
        (summary.started_at at time zone 'UTC')::date as started_on,
        (summary.closed_at at time zone 'UTC')::date as closed_on,
        summary.first_response_seconds
    from analytics.conversation_summaries as summary
    inner join keys on keys.conversation_id = summary.conversation_id
    where summary.client_id is not null
),

counted as (
    select
        subject.conversation_id,
        day.activity_date,
        day.message_count
    from subject
    inner join analytics.histories_sessions as day
        on day.crew_id = subject.crew_id and day.session_id = subject.session_id
    where subject.source = 'histories'
    union all
    select
        subject.conversation_id,
        (message.sent_at at time zone 'UTC')::date,
        1
    from subject
    inner join app.messages as message on message.conversation_id = subject.conversation_id
    where subject.source = 'messages' and analytics.is_usable_time(message.sent_at)
    union all
    select
        conversation_id,
        closed_on,
        0
    from subject
    where closed_on is not null
)

select
    subject.conversation_id,
    counted.activity_date,
    subject.client_id,
    subject.source,
    sum(counted.message_count)::bigint as message_count,
    counted.activity_date = subject.started_on as is_started,
    coalesce(counted.activity_date = subject.closed_on, false) as is_closed,
    case when counted.activity_date = subject.started_on then subject.first_response_seconds end as first_response_seconds
from counted
inner join subject using (conversation_id)
group by
    subject.conversation_id, counted.activity_date, subject.client_id, subject.source, subject.started_on,
    subject.closed_on, subject.first_response_seconds;
