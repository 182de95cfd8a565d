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
