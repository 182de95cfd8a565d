drop view analytics.person_contact_methods;

drop view analytics.conversation_subjects;

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
    'crew',
    null
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
where conversation.crew_id is not null and owner.client_id is not null;

comment on view analytics.conversation_clients is
'The clients of each conversation, and why: one of their persons takes part, or it is a session of their crew.';
comment on column analytics.conversation_clients.via is 'person or crew: what links the client.';
comment on column analytics.conversation_clients.person_id is 'The person; null if the crew links the client.';

create or replace view analytics.customer_conversations as
select
    customer_id,
    conversation_id,
    channel,
    client_id,
    crew_id,
    project_id,
    started_at,
    ended_at,
    closed_at,
    message_count,
    inbound_count,
    outbound_count,
    first_response_seconds
from analytics.conversation_summaries
where customer_id is not null;

comment on view analytics.customer_conversations is
'Conversations with messages that name a customer; order by started_at.';
comment on column analytics.customer_conversations.started_at is 'Time of the first message.';
comment on column analytics.customer_conversations.ended_at is 'Time of the last message so far.';

create or replace view analytics.person_timeline as
select
    link.person_id,
    person.name::text as person_name,
    person.client_id,
    link.conversation_id,
    summary.channel,
    conversation.subject::text,
    summary.started_at,
    summary.ended_at,
    summary.message_count,
    summary.first_response_seconds,
    summary.closed_at
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
inner join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on view analytics.person_timeline is 'The conversations of each person; order by started_at.';
comment on column analytics.person_timeline.started_at is 'Time of the first message.';
comment on column analytics.person_timeline.ended_at is 'Time of the last message so far.';

comment on table analytics.clients_conversations is 'The clients whose persons or crew take part in each conversation.';

comment on view analytics.lead_conversations is 'Conversations with messages that name a lead; order by started_at.';

-- The next tick compares all links of clients.
insert into analytics.conversation_changes (source, operation) values ('clients_conversations retry', 'everything');
