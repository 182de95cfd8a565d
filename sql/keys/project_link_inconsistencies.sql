-- Projects whose array, and conversations whose project, may have changed. An array has no day, so there is no window.
-- in:  %(seen)s, %(taken)s: with changes logged between these snapshots; %(after)s, %(rows)s as in every_project.sql
-- out: keys (id, position): of projects and of conversations
create temporary table keys on commit drop as
select
    id,
    id::text as position
from (
    select project_id as id from analytics.project_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and project_id is not null
    union
    select conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversations', 'project_conversations', 'project_link_inconsistencies retry')
        and conversation_id is not null
) as changed
where %(after)s::uuid is null or id > %(after)s::uuid
order by id
limit %(rows)s;
