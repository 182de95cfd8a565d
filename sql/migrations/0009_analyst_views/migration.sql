-- Views for the questions everybody asks.
create view analytics.client_activity_daily as
with counted as (
    select
        crew.client_id,
        day.activity_date,
        count(*) as sessions,
        sum(day.message_count) as messages,
        0 as conversations_started,
        0 as conversations_closed
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    group by crew.client_id, day.activity_date
    union all
    select
        conversation.client_id,
        (message.sent_at at time zone 'UTC')::date,
        0,
        count(*),
        0,
        0
    from app.messages as message
    inner join app.conversations as conversation on conversation.id = message.conversation_id
    where conversation.client_id is not null
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
'The client: of the crew for its sessions, else of the conversation.';
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

create view analytics.person_timeline as
select
    link.person_id,
    person.name as person_name,
    person.client_id,
    link.conversation_id,
    summary.channel,
    conversation.subject,
    summary.started_at,
    summary.ended_at,
    summary.message_count,
    summary.first_response_seconds,
    summary.closed_at
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
inner join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on view analytics.person_timeline is 'The conversations each person is in; order it by started_at.';
comment on column analytics.person_timeline.person_id is 'The person.';
comment on column analytics.person_timeline.person_name is 'The person''s name.';
comment on column analytics.person_timeline.client_id is 'The person''s client.';
comment on column analytics.person_timeline.conversation_id is 'The conversation.';
comment on column analytics.person_timeline.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.person_timeline.subject is 'The subject, of an e-mail thread.';
comment on column analytics.person_timeline.started_at is 'Time of the first message.';
comment on column analytics.person_timeline.ended_at is 'Time of the last message so far.';
comment on column analytics.person_timeline.message_count is 'All messages.';
comment on column analytics.person_timeline.first_response_seconds is 'Seconds to the first answer; null while unanswered.';
comment on column analytics.person_timeline.closed_at is 'When it was closed; null while it is open.';

create view analytics.projects_this_week as
select
    link.project_id,
    project.name as project_name,
    link.conversation_id,
    conversation.channel,
    conversation.subject,
    link.added_at,
    link.added_by,
    owner.name as added_by_name
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as owner on owner.id = link.added_by
where link.added_at >= date_trunc('week', now() at time zone 'UTC') at time zone 'UTC';

comment on view analytics.projects_this_week is
'Conversations that came to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.project_id is 'The project.';
comment on column analytics.projects_this_week.project_name is 'The project''s name.';
comment on column analytics.projects_this_week.conversation_id is 'The conversation.';
comment on column analytics.projects_this_week.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.projects_this_week.subject is 'The subject, of an e-mail thread.';
comment on column analytics.projects_this_week.added_at is 'When it came to the project.';
comment on column analytics.projects_this_week.added_by is 'The user the project belonged to then.';
comment on column analytics.projects_this_week.added_by_name is 'That user''s name.';

create view analytics.crew_activity_daily as
select
    day.crew_id,
    crew.crew_code,
    crew.name as crew_name,
    crew.client_id,
    day.activity_date,
    count(*) as sessions,
    sum(day.message_count)::bigint as messages,
    sum(day.human_count)::bigint as human_messages,
    sum(day.ai_count)::bigint as ai_messages,
    percentile_cont(0.5) within group (
        order by extract(epoch from day.first_response_at - day.first_human_at)::float8
    ) as first_response_median_seconds
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
group by day.crew_id, crew.crew_code, crew.name, crew.client_id, day.activity_date;

comment on view analytics.crew_activity_daily is
'What each crew did on each UTC day: one row per crew and day with messages.';
comment on column analytics.crew_activity_daily.crew_id is 'The crew.';
comment on column analytics.crew_activity_daily.crew_code is 'The crew''s code.';
comment on column analytics.crew_activity_daily.crew_name is 'The crew''s name.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s client.';
comment on column analytics.crew_activity_daily.activity_date is 'UTC day.';
comment on column analytics.crew_activity_daily.sessions is 'Sessions with a message on that day.';
comment on column analytics.crew_activity_daily.messages is 'Messages of any type.';
comment on column analytics.crew_activity_daily.human_messages is 'Messages of type human.';
comment on column analytics.crew_activity_daily.ai_messages is 'Messages of type ai.';
comment on column analytics.crew_activity_daily.first_response_median_seconds is
'Median seconds from a session''s first human message of the day to the first ai message after it.';

create view analytics.busiest_crews as
select
    rank() over (order by sum(day.message_count) desc) as place,
    day.crew_id,
    crew.crew_code,
    crew.name as crew_name,
    crew.client_id,
    count(distinct day.session_id) as sessions,
    sum(day.message_count)::bigint as messages
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
where day.activity_date >= (now() at time zone 'UTC')::date - 30
group by day.crew_id, crew.crew_code, crew.name, crew.client_id;

comment on view analytics.busiest_crews is 'The crews of the last 30 UTC days and today, the one with most messages first.';
comment on column analytics.busiest_crews.place is '1 for the busiest; equal crews share a place.';
comment on column analytics.busiest_crews.crew_id is 'The crew.';
comment on column analytics.busiest_crews.crew_code is 'The crew''s code.';
comment on column analytics.busiest_crews.crew_name is 'The crew''s name.';
comment on column analytics.busiest_crews.client_id is 'The crew''s client.';
comment on column analytics.busiest_crews.sessions is 'Sessions with a message in that time.';
comment on column analytics.busiest_crews.messages is 'Messages of any type in that time.';
