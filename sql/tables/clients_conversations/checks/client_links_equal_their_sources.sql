-- Of 1,000 random conversations, those whose links differ from their sources: triggers were bypassed, or rows were modified by
-- hand. Run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, client_id, finding (missing, unfounded or stale)
with sample as materialized (
    select id from app.conversations
    where id not in (select conversation_id from pg_temp.keys)
    order by random()
    limit 1000
),

wanted as (
    select distinct
        link.conversation_id,
        link.client_id,
        (
            conversation.channel,
            conversation.crew_id,
            conversation.project_id,
            case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end,
            case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end
        ) as facts
    from analytics.conversation_clients as link
    inner join app.conversations as conversation on conversation.id = link.conversation_id
    where link.conversation_id = any(array(select id from sample))
),

present as (
    select
        link.conversation_id,
        link.client_id,
        (link.channel, link.crew_id, link.project_id, link.started_at, link.closed_at) as facts
    from analytics.clients_conversations as link
    inner join sample on sample.id = link.conversation_id
)

select
    conversation_id,
    client_id,
    case
        when wanted.is_there is null then 'unfounded'
        when present.is_there is null then 'missing'
        else 'stale'
    end as finding
from (select *, true as is_there from wanted) as wanted
full join (select *, true as is_there from present) as present using (conversation_id, client_id)
where wanted.is_there is null or present.is_there is null or wanted.facts is distinct from present.facts;
