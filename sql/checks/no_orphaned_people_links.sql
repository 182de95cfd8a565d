-- out: links to a person or a conversation that does not exist
select
    link.id,
    link.person_id,
    link.conversation_id,
    case when person.id is null then 'person' else 'conversation' end as missing
from analytics.people_conversations as link
left join app.people as person on person.id = link.person_id
left join app.conversations as conversation on conversation.id = link.conversation_id
where person.id is null or conversation.id is null
limit 1000;
