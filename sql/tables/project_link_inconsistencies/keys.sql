-- Projects whose array, and conversations whose project, may have changed. An array has no day, so there is no window.
-- By hand: a key is a project or a conversation, and arrays lead from one to the other.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: id: of projects and of conversations
select id from analytics.changed_projects
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select id from analytics.changed_conversations
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select conversation_id from analytics.project_conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null;
