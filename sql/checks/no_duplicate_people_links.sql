-- out: pairs of person and conversation that are linked more than once
select
    person_id,
    conversation_id,
    count(*) as rows
from analytics.people_conversations
group by person_id, conversation_id
having count(*) > 1
limit 1000;
