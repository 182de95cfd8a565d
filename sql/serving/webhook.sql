-- name: sessions
-- The requested sessions that have messages.
-- in:  %(asked_crews)s, %(asked_sessions)s: parallel arrays
-- out: one row per session that has: crew_code, session_id
select
    crew.crew_code,
    requested.session_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as requested (crew_id, session_id)
inner join app.crews as crew on crew.id = requested.crew_id
where exists (
    select from analytics.histories_sessions as day
    where day.crew_id = requested.crew_id and day.session_id = requested.session_id
);


-- name: refused
-- The requested sessions whose conversation the application refuses.
-- in:  %(asked_crews)s, %(asked_sessions)s: parallel arrays
-- out: one row per such session: crew_code, session_id, refused_by
select
    crew.crew_code,
    requested.session_id,
    refused.refused_by
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as requested (crew_id, session_id)
inner join app.crews as crew on crew.id = requested.crew_id
inner join analytics.refused_conversations as refused
    on refused.crew_id = requested.crew_id and refused.session_id = requested.session_id;


-- name: answers
-- The answers to requests: counts and links of the requested sessions.
-- in:  %(asked_crews)s, %(asked_sessions)s: parallel arrays
-- out: one row per session that has a conversation with messages: crew_code, session_id, conversation_id, message_count,
--      inbound_count, outbound_count, people, clients, projects (links)
select
    crew.crew_code,
    requested.session_id,
    summary.conversation_id,
    summary.message_count,
    summary.inbound_count,
    summary.outbound_count,
    (select count(*) from analytics.people_conversations as link where link.conversation_id = conversation.id) as people,
    (select count(*) from analytics.clients_conversations as link where link.conversation_id = conversation.id) as clients,
    (select count(*) from analytics.project_conversations as link where link.conversation_id = conversation.id) as projects
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as requested (crew_id, session_id)
inner join app.crews as crew on crew.id = requested.crew_id
inner join app.conversations as conversation
    on conversation.crew_id = requested.crew_id and conversation.session_id = requested.session_id
inner join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id;
