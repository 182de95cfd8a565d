-- The number of conversations of a project, or of each.
-- in:  %(project)s: id, or null for all
-- out: project_id, conversations, last_added_at
select
    project_id,
    conversations,
    last_added_at
from analytics.conversations_per_project
where %(project)s::uuid is null or project_id = %(project)s
order by conversations desc, project_id;
