create or replace view analytics.lead_open_conversations as
select
    conversation.lead_id,
    conversation.id as conversation_id,
    conversation.channel::text,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end as started_at,
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
'The open conversation of each lead, with or without messages. A unique index allows one per lead.';
comment on column analytics.lead_open_conversations.lead_id is 'The lead.';
comment on column analytics.lead_open_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_open_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_open_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.lead_open_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.lead_open_conversations.project_id is 'The project that the conversation names.';
comment on column analytics.lead_open_conversations.started_at is 'When the conversation started.';
comment on column analytics.lead_open_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_open_conversations.message_count is 'All messages.';
comment on column analytics.lead_open_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.lead_open_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.lead_open_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered, and where a crew wrote both at once.';

create or replace view analytics.lead_conversations as
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

comment on view analytics.lead_conversations is
'Conversations with messages that name a lead; the latest message first: order by ended_at desc.';
comment on column analytics.lead_conversations.lead_id is 'The lead.';
comment on column analytics.lead_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.lead_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.lead_conversations.project_id is 'The project that it names.';
comment on column analytics.lead_conversations.started_at is 'Time of the first message.';
comment on column analytics.lead_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.lead_conversations.message_count is 'All messages.';
comment on column analytics.lead_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.lead_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.lead_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered, and where a crew wrote both at once.';

create or replace view analytics.customer_conversations as
select
    conversation.customer_id,
    conversation.id as conversation_id,
    conversation.channel::text,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    coalesce(
        summary.started_at,
        case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end
    ) as started_at,
    summary.ended_at,
    case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at,
    coalesce(summary.message_count, 0) as message_count,
    coalesce(summary.inbound_count, 0) as inbound_count,
    coalesce(summary.outbound_count, 0) as outbound_count,
    summary.first_response_seconds
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where conversation.customer_id is not null;

comment on view analytics.customer_conversations is
'Conversations that name a customer, with or without messages; the latest message first: '
'order by coalesce(ended_at, started_at) desc.';
comment on column analytics.customer_conversations.customer_id is 'The customer.';
comment on column analytics.customer_conversations.conversation_id is 'The conversation.';
comment on column analytics.customer_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.customer_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.customer_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.customer_conversations.project_id is 'The project that it names.';
comment on column analytics.customer_conversations.started_at is
'Time of the first message; without messages, when the conversation started.';
comment on column analytics.customer_conversations.ended_at is
'Time of the last message so far; null without messages.';
comment on column analytics.customer_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.customer_conversations.message_count is 'All messages.';
comment on column analytics.customer_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.customer_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.customer_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered, and where a crew wrote both at once.';
