-- out: the five conversations most recently added to a project
select
    project.name as project,
    conversation.channel,
    conversation.subject,
    to_char(link.added_at, 'YYYY-MM-DD HH24:MI') as added,
    owner.name as added_by
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as owner on owner.id = link.added_by
order by link.added_at desc, link.conversation_id
limit 5;
