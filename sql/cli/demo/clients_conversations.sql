-- out: the five clients with the most conversations
select
    client.client_code as client,
    client.name,
    count(*) as conversations
from analytics.clients_conversations as link
inner join app.clients as client on client.id = link.client_id
group by client.id
order by conversations desc, client.client_code
limit 5;
