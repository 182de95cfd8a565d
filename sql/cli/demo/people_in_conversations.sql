-- out: the people in the five conversations that started last
select
    to_char(conversation.started_at, 'YYYY-MM-DD HH24:MI') as started,
    conversation.channel,
    client.client_code as client,
    string_agg(person.name, ', ' order by person.name) as people
from (select * from app.conversations order by started_at desc limit 20) as conversation
inner join analytics.people_conversations as link on link.conversation_id = conversation.id
inner join app.people as person on person.id = link.person_id
inner join app.clients as client on client.id = person.client_id
group by conversation.id, conversation.started_at, conversation.channel, client.id
order by conversation.started_at desc
limit 5;
