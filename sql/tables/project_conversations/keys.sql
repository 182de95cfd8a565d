-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select change.id as conversation_id
from analytics.changed_conversations as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.id is not null
union
select conversations.id as conversation_id
from analytics.changed_projects as change
inner join app.conversations on conversations.project_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation in ('insert', 'delete')
union
select project_assignments.conversation_id
from analytics.changed_users as change
inner join curation.project_assignments on project_assignments.actor = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation in ('insert', 'delete')
union
select present.conversation_id
from analytics.changed_users as change
inner join analytics.project_conversations as present on present.added_by = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation in ('insert', 'delete')
union
select conversations.id as conversation_id
from analytics.changed_users as change
inner join app.projects on projects.user_id = change.id
inner join app.conversations on conversations.project_id = projects.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation in ('insert', 'delete');
