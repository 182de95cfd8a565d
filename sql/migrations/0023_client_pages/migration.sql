-- A client's conversations by pages, newest first, plain and with one filter: links say what pages are sorted and filtered by.
alter table analytics.clients_conversations
add column channel text,
add column crew_id uuid,
add column project_id uuid,
add column started_at timestamptz,
add column closed_at timestamptz;

comment on column analytics.clients_conversations.channel is 'Of the conversation.';
comment on column analytics.clients_conversations.crew_id is 'Of the conversation, if it is a crew''s.';
comment on column analytics.clients_conversations.project_id is 'The project that the conversation names.';
comment on column analytics.clients_conversations.started_at is 'When the conversation was started.';
comment on column analytics.clients_conversations.closed_at is 'When it was closed; null while it is open.';

create index clients_conversations_newest
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc);
create index clients_conversations_channel
on analytics.clients_conversations (client_id, channel, started_at desc, conversation_id desc);
create index clients_conversations_crew
on analytics.clients_conversations (client_id, crew_id, started_at desc, conversation_id desc)
where crew_id is not null;
create index clients_conversations_project
on analytics.clients_conversations (client_id, project_id, started_at desc, conversation_id desc)
where project_id is not null;
create index clients_conversations_open
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc)
where closed_at is null;
create index clients_conversations_closed
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc)
where closed_at is not null;

create index conversation_summaries_lead
on analytics.conversation_summaries (lead_id, started_at desc)
where lead_id is not null;
create index conversation_summaries_customer
on analytics.conversation_summaries (customer_id, started_at desc)
where customer_id is not null;

create view analytics.conversations_per_project as
select
    project_id,
    count(*) as conversations,
    max(added_at) as last_added_at
from analytics.project_conversations
group by project_id;

comment on view analytics.conversations_per_project is 'How many conversations each project has; none: no row.';
comment on column analytics.conversations_per_project.project_id is 'The project.';
comment on column analytics.conversations_per_project.conversations is 'How many conversations name it.';
comment on column analytics.conversations_per_project.last_added_at is 'When the last of them was added.';

insert into analytics.conversation_changes (source, operation) values ('clients_conversations again', 'everything');
