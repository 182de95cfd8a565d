-- The number of conversations and links, and of conversations with and without links.
-- out: one row: conversations, people_links, client_links, project_links, conversations_with_people,
--      conversations_with_clients, conversations_without_any
select
    count(*) as conversations,
    (select count(*) from analytics.people_conversations) as people_links,
    (select count(*) from analytics.clients_conversations) as client_links,
    (select count(*) from analytics.project_conversations) as project_links,
    count(*) filter (where linked.has_people) as conversations_with_people,
    count(*) filter (where linked.has_clients) as conversations_with_clients,
    count(*) filter (where not linked.has_people and not linked.has_clients) as conversations_without_any
from app.conversations as conversation
cross join lateral (
    select
        exists(select from analytics.people_conversations where conversation_id = conversation.id) as has_people,
        exists(select from analytics.clients_conversations where conversation_id = conversation.id) as has_clients
) as linked;
