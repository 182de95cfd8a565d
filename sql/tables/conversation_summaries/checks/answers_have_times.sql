-- Crews that write a question with its answer, as n8n does: how long the first answer took is not known, so
-- first_response_seconds is null, and medians leave these sessions out. To know it, let the workflow store the question when it
-- comes.
-- severity: WARN
-- out: crew_code, answered_count, at_once_count (answered sessions whose question was written within a quarter of a second)
select
    crew_code,
    answered_count,
    at_once_count
from analytics.crews_without_answer_times
order by at_once_count desc, crew_code;
