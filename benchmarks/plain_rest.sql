-- One statement for each further table that sessions fill. With plain_build.sql, these are all derived tables: without messages,
-- people and projects the others are empty.
insert into plain.conversation_days (
    conversation_id, activity_date, client_id, source, message_count, is_started, is_closed, first_response_seconds
)
select
    summary.conversation_id,
    day.activity_date,
    summary.client_id,
    summary.source,
    day.message_count,
    day.activity_date = (summary.started_at at time zone 'UTC')::date,
    false,
    case
        when day.activity_date = (summary.started_at at time zone 'UTC')::date then summary.first_response_seconds
    end
from plain.conversation_summaries as summary
inner join plain.histories_sessions as day on day.crew_id = summary.crew_id and day.session_id = summary.session_id;

insert into plain.crew_activity_daily (
    crew_id, activity_date, crew_code, crew_name, client_id, sessions, messages, human_messages, ai_messages,
    first_response_median_seconds
)
select
    day.crew_id,
    day.activity_date,
    crew.crew_code,
    crew.name,
    crew.client_id,
    count(*),
    sum(day.message_count),
    sum(day.human_count),
    sum(day.ai_count),
    percentile_cont(0.5) within group (order by extract(epoch from day.first_response_at - day.first_human_at)::float8)
from plain.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
group by day.crew_id, day.activity_date, crew.crew_code, crew.name, crew.client_id;

insert into plain.client_activity_daily (
    client_id, activity_date, client_code, sessions, messages, conversations_started, conversations_closed,
    first_response_median_seconds, first_response_p90_seconds
)
select
    day.client_id,
    day.activity_date,
    client.client_code,
    count(*),
    sum(day.message_count),
    count(*) filter (where day.is_started),
    count(*) filter (where day.is_closed),
    percentile_cont(0.5) within group (order by day.first_response_seconds),
    percentile_cont(0.9) within group (order by day.first_response_seconds)
from plain.conversation_days as day
inner join app.clients as client on client.id = day.client_id
group by day.client_id, day.activity_date, client.client_code;

insert into plain.clients_conversations (client_id, conversation_id, channel, crew_id, project_id, started_at, closed_at)
select
    client_id,
    id,
    channel,
    crew_id,
    project_id,
    started_at,
    closed_at
from plain.conversations
where client_id is not null;
