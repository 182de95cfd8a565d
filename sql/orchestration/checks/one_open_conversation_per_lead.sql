-- Leads with several open conversations: the unique index is missing or was bypassed. Close all but one per lead, then run
-- `convo-pipelines migrate up`.
-- out: leads with more than one open conversation
select
    lead_id,
    count(*) as open_conversations,
    string_agg(id::text, ', ' order by started_at) as conversations
from app.conversations
where closed_at is null and lead_id is not null
group by lead_id
having count(*) > 1;
