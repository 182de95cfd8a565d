-- Conversations whose clients may have changed.
-- in:  %(window_start)s, %(window_end)s: started or with messages sent in it, half-open, or null;
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
    select conversation_id from app.messages
    where sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
    union
    select conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversations', 'people_conversations', 'clients_conversations retry') and conversation_id is not null
    union
    select link.conversation_id
    from analytics.identifier_changes as change
    inner join analytics.people_conversations as link on link.person_id = change.id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and change.source = 'people'
    union
    select conversation.id
    from analytics.identifier_changes as change
    inner join app.conversations as conversation on conversation.crew_id = change.id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'crews' and conversation.client_id is null
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
