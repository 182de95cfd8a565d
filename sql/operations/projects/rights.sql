-- Whether the current role may rewrite arrays.
-- out: one row: role, owner (of app.projects), may_write
select
    current_user::text as role,
    relowner::regrole::text as owner,
    has_column_privilege(oid, 'conversation_ids', 'update') as may_write
from pg_class
where oid = 'app.projects'::regclass;
