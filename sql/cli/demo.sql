-- name: summaries_by_channel
-- out: conversations and messages per source and channel
select
    source,
    channel,
    count(*) as conversations,
    sum(message_count)::bigint as messages,
    round(avg(first_response_seconds)) as first_response_seconds
from analytics.conversation_summaries
group by source, channel
order by source, channel;


-- name: latest_summaries
-- out: the five conversations that started last
select
    client.client_code as client,
    summary.channel,
    summary.message_count as messages,
    summary.participant_count as participants,
    to_char(summary.started_at, 'YYYY-MM-DD HH24:MI') as started,
    round(summary.duration_seconds) as seconds,
    round(summary.first_response_seconds) as first_response
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
order by summary.started_at desc
limit 5;


-- name: latest_sessions
-- out: the five session-days with the latest activity
select
    crew.crew_code as crew,
    day.session_id,
    day.activity_date as day,
    day.message_count as messages,
    day.human_count as human,
    day.ai_count as ai
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
order by day.last_message_at desc
limit 5;


-- name: participants_by_status
-- out: contact methods by resolution status
select
    status,
    method,
    confidence,
    count(*) as contact_methods
from analytics.participant_resolutions
group by status, method, confidence
order by confidence desc nulls last, status;


-- name: people_in_conversations
-- out: the people in the five conversations that started last
select
    to_char(conversation.started_at, 'YYYY-MM-DD HH24:MI') as started,
    conversation.channel,
    client.client_code as client,
    string_agg(person.name, ', ' order by person.name) as people
from (select * from app.conversations order by started_at desc limit 20) as conversation
inner join analytics.people_conversations as link on link.conversation_id = conversation.id
inner join app.people as person on person.id = link.person_id
inner join app.clients as client on client.id = person.client_id
group by conversation.id, conversation.started_at, conversation.channel, client.id
order by conversation.started_at desc
limit 5;


-- name: clients_conversations
-- out: the five clients with the most conversations
select
    client.client_code as client,
    client.name,
    count(*) as conversations
from analytics.clients_conversations as link
inner join app.clients as client on client.id = link.client_id
group by client.id
order by conversations desc, client.client_code
limit 5;


-- name: project_conversations
-- out: the five conversations most recently added to a project
select
    project.name as project,
    conversation.channel,
    conversation.subject,
    to_char(link.added_at, 'YYYY-MM-DD HH24:MI') as added,
    owner.name as added_by
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as owner on owner.id = link.added_by
order by link.added_at desc, link.conversation_id
limit 5;


-- name: project_link_inconsistencies
-- out: differences between projects' deprecated arrays and conversations
select
    kind,
    count(*) as rows,
    count(distinct project_id) as projects
from analytics.project_link_inconsistencies
group by kind
order by kind;


-- name: first_message
-- out: one row: sent_at of the first message
select min(sent_at) as sent_at
from app.messages;


-- name: rows
-- in:  {relation}
-- out: one row: the number of its rows
select count(*) as rows from {relation};
