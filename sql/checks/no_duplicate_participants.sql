-- out: contact methods with more than one resolution
select
    contact_method_id,
    count(*) as rows
from analytics.participant_resolutions
group by contact_method_id
having count(*) > 1
limit 1000;
