-- out: summaries whose conversation does not exist
select
    summary.conversation_id,
    summary.source,
    summary.crew_id,
    summary.session_id
from analytics.conversation_summaries as summary
where not exists (select from app.conversations as conversation where conversation.id = summary.conversation_id)
limit 1000;
