-- Conversations whose days do not add up to their summary: run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, client_id, messages, counted
select
    conversation_id,
    client_id,
    summary.message_count as messages,
    counted.messages as counted
from (
    select * from analytics.conversation_summaries
    where client_id is not null
) as summary
full join (
    select
        conversation_id,
        client_id,
        sum(message_count) as messages
    from analytics.conversation_days
    group by conversation_id, client_id
) as counted using (conversation_id, client_id)
where summary.message_count is distinct from counted.messages
    and conversation_id not in (select conversation_id from pg_temp.keys);
