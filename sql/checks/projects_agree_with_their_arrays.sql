-- out: where the deprecated array of a project disagrees with the conversations, those that stand longest first
select
    project.name as project,
    found.project_id,
    found.conversation_id,
    found.kind,
    found.first_seen_at,
    found.last_seen_at
from analytics.project_link_inconsistencies as found
inner join app.projects as project on project.id = found.project_id
order by found.first_seen_at, found.project_id, found.conversation_id;
