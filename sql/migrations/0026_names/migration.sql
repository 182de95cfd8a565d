-- What analysts need of the application's tables, so that analytics is enough: names, leads and customers. What says who
-- somebody is stands apart.

create view analytics.lead_open_conversations as
select
    conversation.lead_id,
    conversation.id as conversation_id,
    conversation.channel,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    conversation.started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    coalesce(summary.inbound_count, 0) as inbound_count,
    coalesce(summary.outbound_count, 0) as outbound_count,
    summary.first_response_seconds
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where conversation.lead_id is not null and conversation.closed_at is null;

comment on view analytics.lead_open_conversations is
'The open conversation of each lead, whether it has messages or not: at most one, which a unique index sees to.';
comment on column analytics.lead_open_conversations.lead_id is 'The lead.';
comment on column analytics.lead_open_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_open_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_open_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_open_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_open_conversations.project_id is 'The project that it names.';
comment on column analytics.lead_open_conversations.started_at is 'When it was started.';
comment on column analytics.lead_open_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_open_conversations.message_count is 'All messages.';
comment on column analytics.lead_open_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_open_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_open_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered.';

create view analytics.lead_conversations as
select
    lead_id,
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
where lead_id is not null;

comment on view analytics.lead_conversations is 'The conversations with messages that name a lead; order them by started_at.';
comment on column analytics.lead_conversations.lead_id is 'The lead.';
comment on column analytics.lead_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_conversations.project_id is 'The project that it names.';
comment on column analytics.lead_conversations.started_at is 'Time of the first message.';
comment on column analytics.lead_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.lead_conversations.message_count is 'All messages.';
comment on column analytics.lead_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_conversations.first_response_seconds is 'Seconds to the first answer; null while unanswered.';

create view analytics.customer_conversations as
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
'The conversations with messages that name a customer; order them by started_at.';
comment on column analytics.customer_conversations.customer_id is 'The customer.';
comment on column analytics.customer_conversations.conversation_id is 'The conversation.';
comment on column analytics.customer_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.customer_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.customer_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.customer_conversations.project_id is 'The project that it names.';
comment on column analytics.customer_conversations.started_at is 'Time of the first message.';
comment on column analytics.customer_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.customer_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.customer_conversations.message_count is 'All messages.';
comment on column analytics.customer_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.customer_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.customer_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered.';

create view analytics.client_names as
select
    id as client_id,
    client_code,
    name as client_name,
    is_active
from app.clients;

comment on view analytics.client_names is 'What each client is called.';
comment on column analytics.client_names.client_id is 'The client.';
comment on column analytics.client_names.client_code is 'Its code.';
comment on column analytics.client_names.client_name is 'Its name.';
comment on column analytics.client_names.is_active is 'Whether its crews are read.';

create view analytics.crew_names as
select
    id as crew_id,
    crew_code,
    name as crew_name,
    client_id,
    is_active
from app.crews;

comment on view analytics.crew_names is 'What each crew is called.';
comment on column analytics.crew_names.crew_id is 'The crew.';
comment on column analytics.crew_names.crew_code is 'Its code.';
comment on column analytics.crew_names.crew_name is 'Its name.';
comment on column analytics.crew_names.client_id is 'Its client now.';
comment on column analytics.crew_names.is_active is 'Whether it is read.';

create view analytics.project_names as
select
    id as project_id,
    name as project_name,
    user_id
from app.projects;

comment on view analytics.project_names is 'What each project is called.';
comment on column analytics.project_names.project_id is 'The project.';
comment on column analytics.project_names.project_name is 'Its name.';
comment on column analytics.project_names.user_id is 'Whose it is.';

create view analytics.unknown_senders as
select
    resolution.contact_method_id,
    contact.kind,
    resolution.status,
    count(*) as messages
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
inner join app.message_recipients as recipient
    on recipient.contact_method_id = resolution.contact_method_id and recipient.role = 'from'
where resolution.status <> 'resolved'
group by resolution.contact_method_id, contact.kind, resolution.status;

comment on view analytics.unknown_senders is
'Contact methods that write to us and are nobody''s for certain, and how often they do.';
comment on column analytics.unknown_senders.contact_method_id is 'The contact method.';
comment on column analytics.unknown_senders.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_senders.status is 'ambiguous, unmatched or invalid.';
comment on column analytics.unknown_senders.messages is 'Messages from it.';

create view analytics.person_names as
select
    id as person_id,
    client_id,
    name as person_name,
    email,
    phone,
    linkedin_urn
from app.people;

comment on view analytics.person_names is 'Who each person is. Personal data.';
comment on column analytics.person_names.person_id is 'The person.';
comment on column analytics.person_names.client_id is 'The person''s client.';
comment on column analytics.person_names.person_name is 'The person''s name.';
comment on column analytics.person_names.email is 'E-mail address in the person''s record.';
comment on column analytics.person_names.phone is 'Phone number in the person''s record.';
comment on column analytics.person_names.linkedin_urn is 'LinkedIn profile in the person''s record.';

create view analytics.contact_method_values as
select
    id as contact_method_id,
    kind,
    value,
    person_id
from app.contact_methods;

comment on view analytics.contact_method_values is 'What each contact method is. Personal data.';
comment on column analytics.contact_method_values.contact_method_id is 'The contact method.';
comment on column analytics.contact_method_values.kind is 'email, phone or linkedin.';
comment on column analytics.contact_method_values.value is 'The address, number or profile, as the application spells it.';
comment on column analytics.contact_method_values.person_id is
'Whose it is, by the application''s word; see participant_resolutions.';
