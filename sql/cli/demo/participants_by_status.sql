-- out: contact methods by resolution status
select
    status,
    method,
    confidence,
    count(*) as contact_methods
from analytics.participant_resolutions
group by status, method, confidence
order by confidence desc nulls last, status;
