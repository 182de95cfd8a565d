-- Of 1,000 random conversations, those whose links differ from their sources: triggers were bypassed, or rows were modified by
-- hand. Run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
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
    where id not in (select conversation_id from pg_temp.keys)
    order by random()
    limit 1000
) as sample
left join analytics.project_conversations as link on link.conversation_id = sample.id
where sample.project_id is distinct from link.project_id;
