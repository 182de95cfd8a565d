-- The UTC day of the last message; what claims to be of tomorrow or later is not it.
-- out: at most one row: last_day
select (max(ended_at) at time zone 'UTC')::date as last_day
from analytics.conversation_summaries
where ended_at < now() + interval '1 day' and ended_at >= '1970-01-01'
having max(ended_at) is not null;
