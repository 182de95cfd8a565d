-- Conversations whose project may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select id as conversation_id from analytics.conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select link.conversation_id
from analytics.projects_changes as change
inner join analytics.project_conversations as link on link.project_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete'
union
select conversation.id
from analytics.projects_changes as change
inner join app.conversations as conversation on conversation.project_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'insert'
union
select link.conversation_id
from analytics.users_changes as change
inner join analytics.project_conversations as link on link.added_by = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete'
union
select assigned.conversation_id
from analytics.users_changes as change
inner join curation.project_assignments as assigned on assigned.actor = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation <> 'update';
