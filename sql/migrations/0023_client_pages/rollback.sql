-- Links hold a client and a conversation only.
drop view analytics.conversations_per_project;
drop index analytics.conversation_summaries_customer;
drop index analytics.conversation_summaries_lead;
alter table analytics.clients_conversations
drop column channel,
drop column crew_id,
drop column project_id,
drop column started_at,
drop column closed_at;
