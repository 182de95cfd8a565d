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
