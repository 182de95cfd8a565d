-- Conversations whose project may have changed.
-- in:  %(window_start)s, %(window_end)s: in a half-open span of time, or null;
--      %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots, or null
-- out: conversation_id
select id as conversation_id from app.conversations
where started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
union
select conversation_id from analytics.conversation_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source = 'conversations' and conversation_id is not null;
