-- Conversations whose days may have changed.
-- in:  %(window_start)s, %(window_end)s: active, closed or with messages sent in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s, %(client_ids)s as in every_conversation.sql
-- out: keys (id, position)
create temporary table keys on commit drop as
select
    id,
    id::text as position
from (
    select conversation_id as id from analytics.conversation_summaries
    where started_at < %(window_end)s::timestamptz and ended_at >= %(window_start)s::timestamptz
    union
    select conversation_id from analytics.conversation_summaries
    where closed_at >= %(window_start)s::timestamptz and closed_at < %(window_end)s::timestamptz
    union
    select conversation_id from app.messages
    where sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
    union
    select conversation_id from analytics.conversation_days
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversation_summaries', 'conversations', 'messages', 'conversation_days retry')
        and conversation_id is not null
    union
    select conversation.id
    from analytics.conversation_changes as change
    inner join app.conversations as conversation
        on conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'histories_sessions'
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
