-- name: have_arrays
-- Whether app.projects still has the deprecated column conversation_ids.
-- out: one row: have_arrays
select count(*) > 0 as have_arrays
from pg_attribute
where attrelid = to_regclass('app.projects') and attname = 'conversation_ids';


-- name: differences
-- Differences between projects' arrays and conversations' project_id, by project and kind, the largest first.
-- out: project, project_id, kind, ids (number), example (a conversation), names (the project_id of that conversation)
with entries as (
    select distinct
        project.id as project_id,
        entry.conversation_id
    from app.projects as project
    cross join lateral unnest(project.conversation_ids) as entry (conversation_id)
    where entry.conversation_id is not null
),

members as (
    select
        project_id,
        id as conversation_id
    from app.conversations
    where project_id is not null
),

differences as (
    select
        project_id,
        conversation_id,
        entries.project_id is null as is_missing
    from entries
    full join members using (project_id, conversation_id)
    where entries.project_id is null or members.project_id is null
)

select
    project.name as project,
    project.id as project_id,
    case
        when differences.is_missing then 'missing_from_array'
        when conversation.id is null then 'stale_id'
        else 'project_mismatch'
    end as kind,
    count(*) as ids,
    min(differences.conversation_id::text) as example,
    (array_agg(conversation.project_id order by differences.conversation_id))[1] as names
from differences
inner join app.projects as project on project.id = differences.project_id
left join app.conversations as conversation on conversation.id = differences.conversation_id
group by project.id, project.name, 3
order by ids desc, project.id, kind;


-- name: rights
-- Whether the current role may rewrite arrays.
-- out: one row: role, owner (of app.projects), may_write
select
    current_user::text as role,
    relowner::regrole::text as owner,
    has_column_privilege(oid, 'conversation_ids', 'update') as may_write
from pg_class
where oid = 'app.projects'::regclass;


-- name: lock
-- Locks projects against writes; skips those that are locked already.
-- in:  %(ids)s
-- out: id: the projects that were locked
select id from app.projects
where id = any(%(ids)s::uuid[])
order by id
for no key update skip locked;


-- name: rewrite
-- Rewrites the arrays of projects that differ from conversations' project_id. Correct entries keep their order, missing ones
-- are appended in order of creation.
-- in:  %(ids)s: projects, locked by an earlier statement, so that this one sees all earlier writes
-- out: one row: projects (rewritten), added, removed (ids)
with entries as (
    select
        project.id as project_id,
        entry.conversation_id,
        min(entry.place) as place
    from app.projects as project
    cross join lateral unnest(project.conversation_ids) with ordinality as entry (conversation_id, place)
    where project.id = any(%(ids)s::uuid[]) and entry.conversation_id is not null
    group by project.id, entry.conversation_id
),

members as (
    select
        project_id,
        id as conversation_id,
        created_at
    from app.conversations
    where project_id = any(%(ids)s::uuid[])
),

wanted as (
    select
        project_id,
        coalesce(
            array_agg(conversation_id order by entries.place, members.created_at, conversation_id)
            filter (where members.project_id is not null),
            array[]::uuid[]
        ) as conversation_ids,
        count(*) filter (where entries.project_id is null) as added,
        count(*) filter (where members.project_id is null) as removed
    from entries
    full join members using (project_id, conversation_id)
    group by project_id
    having count(*) filter (where entries.project_id is null or members.project_id is null) > 0
),

written as (
    update app.projects as project
    set conversation_ids = wanted.conversation_ids
    from wanted
    where project.id = wanted.project_id
)

select
    count(*) as projects,
    coalesce(sum(added), 0)::bigint as added,
    coalesce(sum(removed), 0)::bigint as removed
from wanted;
