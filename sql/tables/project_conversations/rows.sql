-- project_conversations: the project that each conversation names, and when and by whom it was added to it.
-- in:  keys: conversations; present: their links; %(is_tick)s: date links without a recorded change by the conversation's last
--      change, not by its creation
select
    conversation.id as conversation_id,
    project.id as project_id,
    case
        when analytics.is_usable_time(assigned.changed_at) then assigned.changed_at
        when present.project_id = project.id then present.added_at
        when analytics.is_usable_time(change.changed_at) then change.changed_at
        else now()
    end as added_at,
    coalesce(actor.id, owner.id) as added_by,
    case when actor.id is null then 'owner' else 'actor' end as added_by_is
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
inner join app.projects as project on project.id = conversation.project_id
left join present on present.conversation_id = conversation.id
left join lateral (
    select
        newest.project_id,
        newest.changed_at,
        newest.actor
    from curation.project_assignments as newest
    where newest.conversation_id = conversation.id
    order by newest.id desc
    limit 1
) as assigned on assigned.project_id = project.id
left join app.users as actor on actor.id = assigned.actor
left join app.users as owner
    on owner.id = case
        when present.project_id = project.id and present.added_by_is = 'owner' then present.added_by
        else project.user_id
    end
cross join lateral (
    select
        case
            when present.project_id is null and not %(is_tick)s then conversation.created_at
            else conversation.updated_at
        end as changed_at
) as change;
