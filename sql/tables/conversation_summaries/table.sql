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
    customer_id uuid
);
create index conversation_summaries_client on analytics.conversation_summaries (client_id, started_at);
create index conversation_summaries_ended_at on analytics.conversation_summaries (ended_at);
create index conversation_summaries_lead on analytics.conversation_summaries (lead_id, started_at desc)
where lead_id is not null;
create index conversation_summaries_customer
on analytics.conversation_summaries (customer_id, started_at desc)
where customer_id is not null;

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
'Seconds from the first inbound message to the first outbound one that is not earlier; null while unanswered.';
comment on column analytics.conversation_summaries.closed_at is 'When the application closed the conversation.';
comment on column analytics.conversation_summaries.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.conversation_summaries.lead_id is 'The lead that the conversation names.';
comment on column analytics.conversation_summaries.customer_id is 'The customer that the conversation names.';
