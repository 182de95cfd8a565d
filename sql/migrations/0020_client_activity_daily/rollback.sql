-- What happened for each client is a view over all conversations again.
drop table analytics.client_activity_daily;
delete from analytics.refresh_state where asset_key = 'client_activity_daily';
delete from analytics.conversation_changes where source = 'client_activity_daily again';

create view analytics.client_activity_daily as
with counted as (
    select
        coalesce(owner.client_id, crew.client_id) as client_id,
        day.activity_date,
        count(*) as sessions,
        sum(day.message_count) as messages,
        0 as conversations_started,
        0 as conversations_closed
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
    left join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    group by 1, 2
    union all
    select
        owner.client_id,
        (message.sent_at at time zone 'UTC')::date,
        0,
        count(*),
        0,
        0
    from app.messages as message
    inner join analytics.conversation_owners as owner on owner.conversation_id = message.conversation_id
    where owner.client_id is not null and analytics.is_usable_time(message.sent_at)
    group by 1, 2
    union all
    select client_id, (started_at at time zone 'UTC')::date, 0, 0, count(*), 0
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
    union all
    select client_id, (closed_at at time zone 'UTC')::date, 0, 0, 0, count(*)
    from analytics.conversation_summaries
    where client_id is not null and closed_at is not null
    group by 1, 2
),

responses as (
    select
        client_id,
        (started_at at time zone 'UTC')::date as activity_date,
        percentile_cont(0.5) within group (order by first_response_seconds) as first_response_median_seconds,
        percentile_cont(0.9) within group (order by first_response_seconds) as first_response_p90_seconds
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
)

select
    counted.client_id,
    client.client_code,
    counted.activity_date,
    sum(counted.sessions)::bigint as sessions,
    sum(counted.messages)::bigint as messages,
    sum(counted.conversations_started)::bigint as conversations_started,
    sum(counted.conversations_closed)::bigint as conversations_closed,
    responses.first_response_median_seconds,
    responses.first_response_p90_seconds
from counted
inner join app.clients as client on client.id = counted.client_id
left join responses
    on responses.client_id = counted.client_id and responses.activity_date = counted.activity_date
group by
    counted.client_id, client.client_code, counted.activity_date, responses.first_response_median_seconds,
    responses.first_response_p90_seconds;

comment on view analytics.client_activity_daily is
'What happened for each client on each UTC day: one row per client and day with anything.';
comment on column analytics.client_activity_daily.client_id is
'The client the conversations belong to.';
comment on column analytics.client_activity_daily.client_code is 'The client''s code.';
comment on column analytics.client_activity_daily.activity_date is 'UTC day.';
comment on column analytics.client_activity_daily.sessions is 'Crews'' sessions with a message on that day.';
comment on column analytics.client_activity_daily.messages is 'Messages of that day, of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is 'Conversations whose first message is of that day.';
comment on column analytics.client_activity_daily.conversations_closed is 'Conversations closed on that day.';
comment on column analytics.client_activity_daily.first_response_median_seconds is
'Median seconds to the first answer, of the conversations started on that day; null if none was answered.';
comment on column analytics.client_activity_daily.first_response_p90_seconds is
'90th percentile of the seconds to the first answer, of the conversations started on that day.';
