-- name: is_present
-- Which inconsistencies the keys concern.
-- in:  keys: projects and conversations
project_id in (select id from keys)
or conversation_id in (select id from keys);


-- name: retried
-- Conversations that the last tick logged for retry.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: id
select conversation_id as id from analytics.project_link_inconsistencies_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and operation = 'retry';
