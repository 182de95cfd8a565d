-- The UTC day of the last message.
-- out: at most one row: last_day
select (max(ended_at) at time zone 'UTC')::date as last_day
from analytics.conversation_summaries
having max(ended_at) is not null;
