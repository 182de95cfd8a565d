create table analytics.participant_resolutions (
    contact_method_id uuid primary key references app.contact_methods on delete cascade,
    person_id uuid references app.people on delete set null,
    status text not null check (status in ('resolved', 'ambiguous', 'unmatched', 'invalid')),
    method text check (method in ('manual', 'decision', 'email', 'phone', 'linkedin')),
    confidence numeric(3, 2),
    candidate_count bigint not null,
    resolved_at timestamptz not null default now()
);
create index participant_resolutions_person_id on analytics.participant_resolutions (person_id);

comment on table analytics.participant_resolutions is
'The person that each contact method belongs to: one row per contact method.';
comment on column analytics.participant_resolutions.contact_method_id is 'The contact method in app.contact_methods.';
comment on column analytics.participant_resolutions.person_id is
'The person, if the status is resolved; otherwise null.';
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several persons have this identifier, of which one may be left within a '
'conversation''s client; unmatched: no person has it; invalid: the value is not an identifier.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; decision: set by a decision; email, phone, linkedin: matched by that identifier; '
'null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 for manual and decision, 0.95 for email, 0.90 for phone, 0.85 for linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons who have this identifier: in their own record, in a contact method assigned by the application, or by '
'decision.';
comment on column analytics.participant_resolutions.resolved_at is 'When this row last changed.';

create or replace view analytics.unknown_sessions as
with sessions as (
    select
        named.identifier,
        owner.client_id,
        count(*) as conversations,
        sum(coalesce(summary.inbound_count, 0))::bigint as messages
    from analytics.identifiers as named
    inner join analytics.conversation_owners as owner on owner.conversation_id = named.source_id
    left join analytics.conversation_summaries as summary on summary.conversation_id = named.source_id
    where named.source = 'conversation' and named.identifier is not null
    group by named.identifier, owner.client_id
)

select
    sessions.identifier,
    analytics.kind_of(sessions.identifier) as kind,
    sessions.client_id,
    case when holder.candidate_count > 1 then 'ambiguous' else 'unmatched' end as status,
    holder.candidate_count,
    sessions.conversations,
    sessions.messages
from sessions
cross join lateral (  -- as analytics.holder_of(), which would read by the rights of who reads the view
    select
        case
            when count(*) filter (where candidate.is_decided) = 1
                then min(candidate.person_id::text) filter (where candidate.is_decided)
            when count(distinct candidate.person_id) = 1 then min(candidate.person_id::text)
        end::uuid as person_id,
        count(distinct candidate.person_id) as candidate_count
    from analytics.identifier_holders as candidate
    where candidate.identifier = sessions.identifier
        and (sessions.client_id is null or candidate.client_id = sessions.client_id)
) as holder
where holder.person_id is null;

comment on view analytics.unknown_sessions is
'Identifiers that are session ids of crews'' conversations and name no person, or several, of the conversation''s '
'client: one row per identifier and client.';
comment on column analytics.unknown_sessions.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Personal data.';
comment on column analytics.unknown_sessions.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_sessions.client_id is 'The client of the conversations; null if they have none.';
comment on column analytics.unknown_sessions.status is 'ambiguous: several persons have it; unmatched: none.';
comment on column analytics.unknown_sessions.candidate_count is 'Persons of the client who have it.';
comment on column analytics.unknown_sessions.conversations is 'Conversations with such a session id.';
comment on column analytics.unknown_sessions.messages is 'Messages from it in these conversations.';

create or replace view analytics.unknown_senders as
select
    resolution.contact_method_id,
    contact.kind::text,
    resolution.status,
    count(*) as messages,
    nullif(named.identifier, named.source_id::text) as identifier,
    null::uuid as client_id
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
inner join app.message_recipients as recipient
    on recipient.contact_method_id = resolution.contact_method_id and recipient.role = 'from'
left join analytics.identifiers as named
    on named.source_id = resolution.contact_method_id and named.source = 'contact_method'
where resolution.status <> 'resolved'
group by resolution.contact_method_id, contact.kind, resolution.status, named.identifier, named.source_id
union all
select
    null,
    kind,
    status,
    messages,
    identifier,
    client_id
from analytics.unknown_sessions;

comment on view analytics.unknown_senders is
'Contact methods that send messages, and session ids of crews'' conversations, that are not resolved to one person, '
'with the number of their messages.';
comment on column analytics.unknown_senders.contact_method_id is 'The contact method; null for a session id.';
comment on column analytics.unknown_senders.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_senders.status is 'ambiguous, unmatched or invalid.';
comment on column analytics.unknown_senders.messages is 'Messages from it.';
comment on column analytics.unknown_senders.identifier is
'Canonical form, which `convo-pipelines people link` and `people who` take; null if the status is invalid. Personal data.';
comment on column analytics.unknown_senders.client_id is
'The client of the conversations with this session id; null for a contact method.';

create or replace view analytics.person_contact_methods as
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
        case when analytics.is_usable_time(decision.decided_at) then decision.decided_at end as decided_at
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
'The address, number or profile as stored by the application. Personal data.';
comment on column analytics.person_contact_methods.status is
'resolved: it is this person''s; ambiguous: several persons have this identifier, this person among them.';
comment on column analytics.person_contact_methods.method is
'manual: set by the application; decision: set by a decision; email, phone, linkedin: matched by that identifier; '
'null if ambiguous.';
comment on column analytics.person_contact_methods.confidence is 'Confidence of the match, from 0 to 1; null if ambiguous.';
comment on column analytics.person_contact_methods.decided_by is
'Who decided that it is this person''s, unless the application has set the person; null without a decision.';
comment on column analytics.person_contact_methods.decided_at is 'When that was decided.';
