-- The same for the new rows alone, in one transaction: no watermark to keep, nothing to compare.
-- in:  %(after_id)s: the last id before them
insert into plain.histories_sessions (
    crew_id, session_id, activity_date, message_count, human_count, ai_count, first_message_at, last_message_at,
    first_human_at, first_ai_at, first_response_at
)
select
    crew_id,
    session_id,
    (created_at at time zone 'UTC')::date,
    count(*),
    count(*) filter (where type = 'human'),
    count(*) filter (where type = 'ai'),
    min(created_at),
    max(created_at),
    min(created_at) filter (where type = 'human'),
    min(created_at) filter (where type = 'ai'),
    min(created_at) filter (where type = 'ai')
from (select *, message ->> 'type' as type from plain.histories where id > %(after_id)s offset 0) as history
group by 1, 2, 3;

insert into plain.conversations (channel, external_id, client_id, crew_id, session_id, started_at)
select 'crew', session_id, crew.client_id, day.crew_id, session_id, min(first_message_at)
from plain.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
where refreshed_at = now()
group by session_id, crew.client_id, day.crew_id;

insert into plain.conversation_summaries (
    conversation_id, source, channel, client_id, crew_id, session_id, message_count, inbound_count, outbound_count,
    participant_count, started_at, ended_at, duration_seconds, first_response_seconds
)
select
    conversation.id,
    'histories',
    conversation.channel,
    conversation.client_id,
    conversation.crew_id,
    conversation.session_id,
    sum(message_count),
    sum(human_count),
    sum(ai_count),
    2,
    min(first_message_at),
    max(last_message_at),
    extract(epoch from max(last_message_at) - min(first_message_at)),
    extract(epoch from min(first_response_at) - min(first_human_at))
from plain.conversations as conversation
inner join plain.histories_sessions as day
    on day.crew_id = conversation.crew_id and day.session_id = conversation.session_id
where day.refreshed_at = now()
group by conversation.id;
