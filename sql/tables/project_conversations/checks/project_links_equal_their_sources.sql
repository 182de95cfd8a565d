-- A random sample of conversations: their links, compared with the project they name in both directions.
-- in:  keys: those that the next tick will refresh; %(sample)s: how many
-- out: conversation_id, names, linked_to
select
    sample.id as conversation_id,
    sample.project_id as names,
    link.project_id as linked_to
from (
    select
        id,
        project_id
    from app.conversations
    where id not in (select conversation_id from keys)
    order by random()
    limit %(sample)s
) as sample
left join analytics.project_conversations as link on link.conversation_id = sample.id
where sample.project_id is distinct from link.project_id;
