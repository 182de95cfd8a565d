-- The conversations of sessions that somebody asks for.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(after)s, %(rows)s as in every_conversation.sql
-- out: keys (id, position)
create temporary table keys on commit drop as
select
    conversation.id,
    conversation.id::text as position
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
inner join app.conversations as conversation
    on conversation.crew_id = asked.crew_id and conversation.session_id = asked.session_id
where %(after)s::uuid is null or conversation.id > %(after)s::uuid
order by conversation.id
limit %(rows)s;
