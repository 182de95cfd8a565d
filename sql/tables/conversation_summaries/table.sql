create table analytics.conversation_summaries (
    conversation_id uuid primary key references app.conversations on delete cascade,
    source text not null check (source in ('histories', 'messages')),
    channel text not null,
    client_id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    message_count bigint not null,
    inbound_count bigint not null,
    outbound_count bigint not null,
    participant_count bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    duration_seconds float8 not null,
    first_response_seconds float8,
    closed_at timestamptz,
    refreshed_at timestamptz not null default now(),
    lead_id uuid,
    customer_id uuid,
    first_response_at timestamptz,
    last_inbound_at timestamptz,
    last_outbound_at timestamptz,
    waiting_since timestamptz
);
create index conversation_summaries_client on analytics.conversation_summaries (client_id, started_at);
create index conversation_summaries_ended_at on analytics.conversation_summaries (ended_at);
create index conversation_summaries_lead on analytics.conversation_summaries (lead_id, started_at desc)
where lead_id is not null;
create index conversation_summaries_customer
on analytics.conversation_summaries (customer_id, started_at desc)
where customer_id is not null;
create index conversation_summaries_waiting on analytics.conversation_summaries (waiting_since) where waiting_since is not null;

comment on table analytics.conversation_summaries is
'One row per conversation with messages, whether in a histories table or in app.messages.';
comment on column analytics.conversation_summaries.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_summaries.source is
'Where the messages are stored: histories (the crew''s histories table) or messages (app.messages).';
comment on column analytics.conversation_summaries.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.conversation_summaries.client_id is
'The client that the conversation belongs to: the client it names, or its crew''s.';
comment on column analytics.conversation_summaries.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.conversation_summaries.session_id is 'The session, for a crew''s session. Personal data.';
comment on column analytics.conversation_summaries.project_id is 'The project the conversation names.';
comment on column analytics.conversation_summaries.message_count is 'All messages.';
comment on column analytics.conversation_summaries.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.conversation_summaries.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.conversation_summaries.participant_count is
'Distinct contact methods among the recipients (from, to, cc, bcc). For a session: 2 if both human and ai wrote, '
'1 if one of them did.';
comment on column analytics.conversation_summaries.started_at is 'Time of the first message.';
comment on column analytics.conversation_summaries.ended_at is 'Time of the last message so far.';
comment on column analytics.conversation_summaries.duration_seconds is 'Seconds from started_at to ended_at.';
comment on column analytics.conversation_summaries.first_response_seconds is
'Seconds from the first inbound message to first_response_at. Null while unanswered; and where a crew wrote both within a '
'quarter of a second, as n8n does, which stores the question with the answer.';
comment on column analytics.conversation_summaries.closed_at is 'When the application closed the conversation.';
comment on column analytics.conversation_summaries.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.conversation_summaries.lead_id is 'The lead that the conversation names.';
comment on column analytics.conversation_summaries.customer_id is 'The customer that the conversation names.';
comment on column analytics.conversation_summaries.first_response_at is
'Time of the first outbound message that is not earlier than the first inbound one; null while unanswered.';
comment on column analytics.conversation_summaries.last_inbound_at is 'Time of the last inbound message.';
comment on column analytics.conversation_summaries.last_outbound_at is 'Time of the last outbound message.';
comment on column analytics.conversation_summaries.waiting_since is
'Time of the first inbound message that no outbound one has followed; null if there is none, or the conversation is closed.';

create or replace view analytics.waiting_conversations as
select
    summary.conversation_id,
    client.client_code,
    crew.crew_code,
    summary.channel,
    summary.waiting_since,
    summary.last_inbound_at,
    summary.last_outbound_at,
    summary.started_at,
    summary.message_count,
    summary.client_id,
    summary.crew_id,
    summary.project_id,
    summary.lead_id,
    summary.customer_id
from analytics.conversation_summaries as summary
left join analytics.client_names as client on client.client_id = summary.client_id
left join analytics.crew_names as crew on crew.crew_id = summary.crew_id
where summary.waiting_since is not null;

comment on view analytics.waiting_conversations is
'Open conversations whose last message is the customer''s: they wait for us. The longest wait first: order by waiting_since.';
comment on column analytics.waiting_conversations.conversation_id is 'The conversation.';
comment on column analytics.waiting_conversations.client_code is 'The client that the conversation belongs to.';
comment on column analytics.waiting_conversations.crew_code is 'The crew, for a crew''s session.';
comment on column analytics.waiting_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.waiting_conversations.waiting_since is
'Time of the first inbound message that no outbound one has followed.';
comment on column analytics.waiting_conversations.last_inbound_at is 'Time of the last inbound message.';
comment on column analytics.waiting_conversations.last_outbound_at is
'Time of the last outbound message; null if there is none.';
comment on column analytics.waiting_conversations.started_at is 'Time of the first message.';
comment on column analytics.waiting_conversations.message_count is 'All messages.';
comment on column analytics.waiting_conversations.client_id is 'The client.';
comment on column analytics.waiting_conversations.crew_id is 'The crew.';
comment on column analytics.waiting_conversations.project_id is 'The project that the conversation names.';
comment on column analytics.waiting_conversations.lead_id is 'The lead that the conversation names.';
comment on column analytics.waiting_conversations.customer_id is 'The customer that the conversation names.';

create or replace view analytics.crews_without_answer_times as
select
    crew.crew_id,
    crew.crew_code,
    crew.client_id,
    count(*) as answered_count,
    count(*) filter (where summary.first_response_seconds is null) as at_once_count
from analytics.conversation_summaries as summary
inner join analytics.crew_names as crew on crew.crew_id = summary.crew_id
where summary.source = 'histories' and summary.first_response_at is not null
group by crew.crew_id, crew.crew_code, crew.client_id
having count(*) >= 10 and count(*) filter (where summary.first_response_seconds is null) >= 0.9 * count(*);

comment on view analytics.crews_without_answer_times is
'Crews whose questions and answers are written at once, in at least nine of ten sessions, as n8n does: how long an answer took '
'is not known of them.';
comment on column analytics.crews_without_answer_times.crew_id is 'The crew.';
comment on column analytics.crews_without_answer_times.crew_code is 'Its code.';
comment on column analytics.crews_without_answer_times.client_id is 'Its client.';
comment on column analytics.crews_without_answer_times.answered_count is 'Its sessions with an answer.';
comment on column analytics.crews_without_answer_times.at_once_count is
'Those whose first answer was written within a quarter of a second of the question.';
