-- Clients are linked to all conversations that are theirs; a person's and a customer's conversations include those without
-- messages; subjects, and the contact methods of persons, for analysts.
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
comment on column analytics.conversation_clients.via is
'person: a person of the client takes part; crew: it is a session of the client''s crew; conversation: it names the client.';
comment on column analytics.conversation_clients.person_id is 'The person, if a person links the client.';

create or replace view analytics.customer_conversations as
select
    conversation.customer_id,
    conversation.id as conversation_id,
    conversation.channel::text,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    coalesce(summary.started_at, conversation.started_at::timestamptz) as started_at,
    summary.ended_at,
    conversation.closed_at::timestamptz,
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
comment on column analytics.customer_conversations.started_at is
'Time of the first message; without messages, when the conversation started.';
comment on column analytics.customer_conversations.ended_at is
'Time of the last message so far; null without messages.';

create or replace view analytics.person_timeline as
select
    link.person_id,
    person.name::text as person_name,
    person.client_id,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    coalesce(summary.started_at, conversation.started_at::timestamptz) as started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    summary.first_response_seconds,
    conversation.closed_at::timestamptz
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on view analytics.person_timeline is
'The conversations of each person, with or without messages; the latest message first: '
'order by coalesce(ended_at, started_at) desc.';
comment on column analytics.person_timeline.started_at is
'Time of the first message; without messages, when the conversation started.';
comment on column analytics.person_timeline.ended_at is
'Time of the last message so far; null without messages.';

comment on table analytics.clients_conversations is
'The clients of each conversation: the client that it belongs to, and those whose persons take part.';

comment on view analytics.lead_conversations is
'Conversations with messages that name a lead; the latest message first: order by ended_at desc.';

create view analytics.conversation_subjects as
select
    id as conversation_id,
    channel::text,
    subject::text
from app.conversations;

comment on view analytics.conversation_subjects is 'Subjects of conversations. Personal data.';
comment on column analytics.conversation_subjects.conversation_id is 'The conversation.';
comment on column analytics.conversation_subjects.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.conversation_subjects.subject is 'The subject, of an e-mail thread.';

create view analytics.person_contact_methods as
select
    candidate.person_id,
    contact.id as contact_method_id,
    contact.kind::text,
    contact.value::text,
    resolution.status,
    resolution.method,
    resolution.confidence,
    decided.decided_by,
    decided.decided_at
from (
    select
        person_id,
        contact_method_id
    from analytics.participant_resolutions
    where person_id is not null
    union all
    select distinct
        holder.person_id,
        shared.contact_method_id
    from analytics.identifier_holders as holder
    inner join analytics.identifiers as named on named.identifier = holder.identifier and named.source = 'contact_method'
    inner join analytics.participant_resolutions as shared
        on shared.contact_method_id = named.source_id and shared.status = 'ambiguous'
) as candidate
inner join app.contact_methods as contact on contact.id = candidate.contact_method_id
inner join analytics.participant_resolutions as resolution on resolution.contact_method_id = contact.id
left join lateral (
    select
        decision.decided_by,
        decision.decided_at
    from analytics.identifiers as named
    inner join analytics.identifiers as linked
        on linked.identifier = named.identifier and linked.source = 'link' and linked.person_id = candidate.person_id
    inner join curation.participant_decisions as decision on decision.id = linked.source_id
    where named.source_id = contact.id and named.source = 'contact_method'
        and resolution.method is distinct from 'manual'
    order by decision.decided_at desc
    limit 1
) as decided on true;

comment on view analytics.person_contact_methods is
'The contact methods of each person, and how each was resolved: those resolved to the person, and ambiguous ones that '
'may be the person''s. Personal data.';
comment on column analytics.person_contact_methods.person_id is 'The person.';
comment on column analytics.person_contact_methods.contact_method_id is 'The contact method.';
comment on column analytics.person_contact_methods.kind is 'email, phone or linkedin.';
comment on column analytics.person_contact_methods.value is
'The address, number or profile as stored by the application.';
comment on column analytics.person_contact_methods.status is
'resolved: it is this person''s; ambiguous: several persons have this identifier, this person among them.';
comment on column analytics.person_contact_methods.method is
'manual: set by the application; decision: set by a decision; email, phone, linkedin: matched by that identifier; '
'null if ambiguous.';
comment on column analytics.person_contact_methods.confidence is 'Confidence of the match, from 0 to 1; null if ambiguous.';
comment on column analytics.person_contact_methods.decided_by is
'Who decided that it is this person''s, unless the application has set the person; null without a decision.';
comment on column analytics.person_contact_methods.decided_at is 'When that was decided.';

-- The next tick compares all links of clients.
insert into analytics.conversation_changes (source, operation) values ('clients_conversations retry', 'everything');
