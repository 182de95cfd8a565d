-- Contact methods by status.
-- out: status, contact_methods
select
    status,
    count(*) as contact_methods
from analytics.participant_resolutions
group by status
order by status;
