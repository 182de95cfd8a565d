-- Conversations that the last tick of a table of projects logged for retry.
-- in:  %(retry_source)s; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: id
select conversation_id as id from analytics.conversation_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source = %(retry_source)s and conversation_id is not null;
