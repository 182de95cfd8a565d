-- out: links to a project or a conversation that does not exist
select
    link.id,
    link.project_id,
    link.conversation_id,
    case when project.id is null then 'project' else 'conversation' end as missing
from analytics.project_conversations as link
left join app.projects as project on project.id = link.project_id
left join app.conversations as conversation on conversation.id = link.conversation_id
where project.id is null or conversation.id is null
limit 1000;
