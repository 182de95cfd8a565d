create or replace view analytics.conversation_clients as
select
    link.conversation_id,
    person.client_id,
    'person' as via,
    link.person_id
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
union all
select
    conversation.id,
    owner.client_id,
    case when conversation.crew_id is null then 'conversation' else 'crew' end,
    null
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
where owner.client_id is not null;

comment on view analytics.conversation_clients is
'The clients of each conversation, and why: one of their persons takes part, or it belongs to them.';
comment on column analytics.conversation_clients.conversation_id is 'The conversation.';
comment on column analytics.conversation_clients.client_id is 'The client.';
comment on column analytics.conversation_clients.via is
'person: a person of the client takes part; crew: it is a session of the client''s crew; conversation: it names the client.';
comment on column analytics.conversation_clients.person_id is 'The person, if a person links the client.';

create table analytics.clients_conversations (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    channel text,
    crew_id uuid,
    project_id uuid,
    started_at timestamptz,
    closed_at timestamptz,
    unique (client_id, conversation_id)
);
create index clients_conversations_conversation_id on analytics.clients_conversations (conversation_id);
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

comment on table analytics.clients_conversations is
'The clients of each conversation: the client that it belongs to, and those whose persons take part.';
comment on column analytics.clients_conversations.id is 'Key of the link.';
comment on column analytics.clients_conversations.client_id is 'The client in app.clients.';
comment on column analytics.clients_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.clients_conversations.created_at is 'When the link was found.';
comment on column analytics.clients_conversations.updated_at is
'When the link was last written; unchanged links are not written.';
comment on column analytics.clients_conversations.channel is 'The conversation''s channel.';
comment on column analytics.clients_conversations.crew_id is 'The conversation''s crew, if it is a crew''s session.';
comment on column analytics.clients_conversations.project_id is 'The project that the conversation names.';
comment on column analytics.clients_conversations.started_at is
'When the conversation started; null if that is not within the years 1 to 9999.';
comment on column analytics.clients_conversations.closed_at is
'When the conversation was closed; null while it is open, or if that is not within the years 1 to 9999.';
