create or replace view analytics.conversation_people as
select
    participant.conversation_id,
    person.id as person_id,
    case held.source when 'contact_method' then 'recipient' else 'session' end as via,
    case held.source when 'contact_method' then held.source_id end as contact_method_id,
    named.method,
    analytics.confidence_of(named.method) as confidence,
    named.method <> 'manual' and exists (
        select from analytics.identifier_holders as other
        where other.identifier = held.identifier and other.client_id <> owner.client_id
    ) as is_narrowed
from (
    select distinct
        message.conversation_id,
        'contact_method' as source,
        recipient.contact_method_id as source_id
    from app.messages as message
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    union all
    select
        id,
        'conversation',
        id
    from app.conversations
    where crew_id is not null
) as participant
inner join analytics.conversation_owners as owner on owner.conversation_id = participant.conversation_id
inner join analytics.identifiers as held
    on held.source_id = participant.source_id and held.source = participant.source
cross join lateral (  -- as analytics.holder_of(), which would read by the rights of who reads the view
    select
        case
            when count(*) filter (where candidate.is_decided) = 1
                then min(candidate.person_id::text) filter (where candidate.is_decided)
            when count(distinct candidate.person_id) = 1 then min(candidate.person_id::text)
        end::uuid as person_id,
        bool_or(candidate.is_decided) as is_decided
    from analytics.identifier_holders as candidate
    where candidate.identifier = case when held.person_id is null then held.identifier end
        and (owner.client_id is null or candidate.client_id = owner.client_id)
) as holder
inner join app.people as person on person.id = coalesce(held.person_id, holder.person_id)
cross join lateral (
    select
        case
            when held.person_id is not null then 'manual'
            when holder.is_decided then 'decision'
            else analytics.kind_of(held.identifier)
        end as method
) as named;

comment on view analytics.conversation_people is
'The persons in each conversation, and why: one of their contact methods is a recipient of a message, in any '
'role, or the session id names them. Decisions and matches never link a conversation of one client to a person of '
'another client; assignments by the application do. Filter by conversation: without a filter it reads every '
'message.';
comment on column analytics.conversation_people.conversation_id is 'The conversation.';
comment on column analytics.conversation_people.person_id is 'The person.';
comment on column analytics.conversation_people.via is 'recipient or session: what names the person.';
comment on column analytics.conversation_people.contact_method_id is
'The recipient''s contact method; null if the session id names the person.';
comment on column analytics.conversation_people.method is
'manual: set by the application; decision: set by a decision; email, phone, linkedin: the identifier that '
'matched.';
comment on column analytics.conversation_people.confidence is 'Confidence of the match, from 0 to 1.';
comment on column analytics.conversation_people.is_narrowed is
'Whether persons of other clients have the identifier too, so that only the conversation''s client makes the match '
'unique.';

-- Links are logged by triggers, so that those that a foreign key deletes are logged, too.
create table analytics.people_conversations (
    id uuid primary key default gen_random_uuid(),
    person_id uuid not null references app.people on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (person_id, conversation_id)
);
create index people_conversations_conversation_id on analytics.people_conversations (conversation_id);

comment on table analytics.people_conversations is
'The persons in each conversation: recipients of any of its messages, in any role, and persons named by a session '
'id.';
comment on column analytics.people_conversations.id is 'Key of the link.';
comment on column analytics.people_conversations.person_id is 'The person in app.people.';
comment on column analytics.people_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.people_conversations.created_at is 'When the link was found.';
comment on column analytics.people_conversations.updated_at is
'When the link was last written; unchanged links are not written.';

create or replace trigger convo_pipelines_insert after insert on analytics.people_conversations
referencing new table as new_rows
for each statement execute function analytics.log_people_conversations();
create or replace trigger convo_pipelines_update after update on analytics.people_conversations
referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_people_conversations();
create or replace trigger convo_pipelines_delete after delete on analytics.people_conversations
referencing old table as old_rows
for each statement execute function analytics.log_people_conversations();
create or replace trigger convo_pipelines_truncate after truncate on analytics.people_conversations
for each statement execute function analytics.log_people_conversations();
alter table analytics.people_conversations enable always trigger convo_pipelines_insert;
alter table analytics.people_conversations enable always trigger convo_pipelines_update;
alter table analytics.people_conversations enable always trigger convo_pipelines_delete;
alter table analytics.people_conversations enable always trigger convo_pipelines_truncate;

create or replace view analytics.person_timeline as
select
    link.person_id,
    person.name::text as person_name,
    person.client_id,
    link.conversation_id,
    conversation.channel::text,
    conversation.subject::text,
    coalesce(
        summary.started_at,
        case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end
    ) as started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    summary.first_response_seconds,
    case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on view analytics.person_timeline is
'The conversations of each person, with or without messages; the latest message first: '
'order by coalesce(ended_at, started_at) desc.';
comment on column analytics.person_timeline.person_id is 'The person.';
comment on column analytics.person_timeline.person_name is 'The person''s name. Personal data.';
comment on column analytics.person_timeline.client_id is 'The person''s client.';
comment on column analytics.person_timeline.conversation_id is 'The conversation.';
comment on column analytics.person_timeline.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.person_timeline.subject is 'The subject, of an e-mail thread. Personal data.';
comment on column analytics.person_timeline.started_at is
'Time of the first message; without messages, when the conversation started.';
comment on column analytics.person_timeline.ended_at is
'Time of the last message so far; null without messages.';
comment on column analytics.person_timeline.message_count is 'All messages.';
comment on column analytics.person_timeline.first_response_seconds is
'Seconds to the first answer; null while unanswered, and where a crew wrote both at once.';
comment on column analytics.person_timeline.closed_at is 'When it was closed; null while it is open.';
