-- Differences between the deprecated app.projects.conversation_ids and app.conversations.project_id, which is authoritative.
-- Drop the column, or run `convo-pipelines data project-arrays --write` to rewrite the arrays.
-- severity: WARN
-- out: where the deprecated array of a project disagrees with the conversations, those that stand longest first; named_project:
--      the project that the conversation names
select
    project.name as project,
    found.project_id,
    found.conversation_id,
    found.kind,
    named.name as named_project,
    found.named_project_id,
    found.first_seen_at,
    found.last_seen_at
from analytics.project_link_inconsistencies as found
inner join app.projects as project on project.id = found.project_id
left join app.projects as named on named.id = found.named_project_id
order by found.first_seen_at, found.project_id, found.conversation_id;
