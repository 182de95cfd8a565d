-- Conversations whose project may have changed.
-- in:  %(window_start)s, %(window_end)s: started in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s, %(client_ids)s as in every_conversation.sql
-- out: keys (id, position)
create temporary table keys on commit drop as
select
    id,
    id::text as position
from (
    select id from app.conversations
    where started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
    union
    select conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversations', 'project_conversations retry') and conversation_id is not null
) as changed
where (%(after)s::uuid is null or id > %(after)s::uuid)
    and (
        %(crew_ids)s::uuid[] is null
        or id in (
            select id from app.conversations
            where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
        )
    )
order by id
limit %(rows)s;
