-- project_conversations: the project that each conversation names, and when it was added to it.
-- in:  keys: conversations; present: their links; %(is_tick)s: date new links by the change, not by the conversation's creation
select
    conversation.id as conversation_id,
    project.id as project_id,
    case
        when present.project_id = project.id then present.added_at
        when analytics.is_usable_time(change.changed_at) then change.changed_at
        else now()
    end as added_at,
    added.id as added_by
from pg_temp.keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
inner join app.projects as project on project.id = conversation.project_id
left join present on present.conversation_id = conversation.id
left join app.users as added
    on added.id = case when present.project_id = project.id then present.added_by else project.user_id end
cross join lateral (
    select
        case
            when present.project_id is null and not %(is_tick)s then conversation.created_at
            else conversation.updated_at
        end as changed_at
) as change;
