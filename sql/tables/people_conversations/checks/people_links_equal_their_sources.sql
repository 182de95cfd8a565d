-- Of 1,000 random conversations, those whose links differ from their sources: triggers were bypassed, or rows were modified by
-- hand. Run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, person_id, finding (missing or unfounded)
with sample as materialized (
    select id from app.conversations
    where id not in (select conversation_id from pg_temp.keys)
    order by random()
    limit 1000
),

wanted as (
    select distinct
        conversation_id,
        person_id
    from analytics.conversation_people
    where conversation_id = any(array(select id from sample))
),

present as (
    select
        link.conversation_id,
        link.person_id,
        true as is_present
    from analytics.people_conversations as link
    inner join sample on sample.id = link.conversation_id
)

select
    conversation_id,
    person_id,
    case when present.is_present then 'unfounded' else 'missing' end as finding
from (select *, true as is_wanted from wanted) as wanted
full join present using (conversation_id, person_id)
where is_wanted is null or is_present is null;
