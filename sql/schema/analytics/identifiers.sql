create table analytics.identifiers (
    source text not null check (source in ('person', 'contact_method', 'conversation', 'link', 'never')),
    source_id uuid not null,
    kind text not null check (kind in ('email', 'phone', 'linkedin', 'session')),
    value text not null,
    identifier text,
    person_id uuid,
    client_id uuid,
    ordinal smallint not null default 1,
    version text not null default '',
    primary key (source_id, source, kind, ordinal)
);
create index identifiers_identifier on analytics.identifiers (identifier);
create index identifiers_person_id on analytics.identifiers (person_id) where person_id is not null;

comment on table analytics.identifiers is
'E-mail addresses, phone numbers and LinkedIn profiles in canonical form, with the row that each was read from. '
'Internal.';
comment on column analytics.identifiers.source is
'The kind of row it was read from: person, contact_method or conversation; link or never: a decision about a '
'contact method or an identifier.';
comment on column analytics.identifiers.source_id is
'The id of the person, contact method, crew''s conversation or decision.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew that does not say of which kind these are, or the identifier of a '
'decision, which may be any of these.';
comment on column analytics.identifiers.value is 'The value as stored by the application. Personal data.';
comment on column analytics.identifiers.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. The id of a contact method '
'whose value has no canonical form, so that a decision can refer to it; otherwise null. Personal data.';
comment on column analytics.identifiers.person_id is
'The person that the row belongs to: the person''s own record, the person set in the contact method, or the person '
'of the decision.';
comment on column analytics.identifiers.client_id is 'That person''s client.';
comment on column analytics.identifiers.ordinal is
'Which of the identifiers of its value it is, from 1: an e-mail field may hold several addresses.';
comment on column analytics.identifiers.version is
'The version of the rules, libraries and settings that the canonical form was computed by.';

create or replace view analytics.identifier_sources as
select
    'person' as source,
    person.id as source_id,
    given.kind,
    given.value,
    null::text as otherwise,
    person.id as person_id,
    person.client_id
from app.people as person
cross join lateral (
    values ('email', person.email::text), ('phone', person.phone::text), ('linkedin', person.linkedin_urn::text)
) as given (kind, value)
where given.value is not null
union all
select
    decision.decision,
    decision.id,
    case when contact.id is null then 'session' when named.is_known then contact.kind::text else 'email' end,
    case when contact.id is null then decision.identifier when named.is_known then contact.value::text else '' end,
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
left join app.contact_methods as contact on contact.id = decision.contact_method_id
cross join lateral (
    select coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false) as is_known
) as named
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null and (contact.id is not null or decision.identifier is not null)
union all
select
    'contact_method',
    contact.id,
    case when named.is_known then contact.kind::text else 'email' end,  -- an empty address is invalid
    case when named.is_known then contact.value::text else '' end,
    contact.id::text,
    person.id,
    person.client_id
from app.contact_methods as contact
left join app.people as person on person.id = contact.person_id
cross join lateral (
    select coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false) as is_known
) as named
union all
select
    'conversation',
    conversation.id,
    coalesce(said.kind, 'session'),
    conversation.session_id::text,
    null,
    null,
    null
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id
cross join lateral (select to_jsonb(crew) ->> 'session_kind' as kind) as said  -- an optional column
where conversation.crew_id is not null
    and case
        when said.kind is null then analytics.may_be_identifier(conversation.session_id::text)
        else said.kind <> 'other' and conversation.session_id is not null
    end;

comment on view analytics.identifier_sources is
'The rows that analytics.identifiers should have according to the application''s tables, before values are put '
'into canonical form. Internal.';
comment on column analytics.identifier_sources.source is
'person, contact_method, conversation; link or never for a decision.';
comment on column analytics.identifier_sources.source_id is
'The id of the person, contact method, crew''s conversation or decision.';
comment on column analytics.identifier_sources.kind is 'email, phone, linkedin or session.';
comment on column analytics.identifier_sources.value is 'The value as stored by the application. Personal data.';
comment on column analytics.identifier_sources.otherwise is
'The identifier to store if the value has no canonical form.';
comment on column analytics.identifier_sources.person_id is
'The person it belongs to, if the application or a decision says so.';
comment on column analytics.identifier_sources.client_id is 'That person''s client.';

create or replace view analytics.identifier_holders as
select distinct
    held.identifier,
    held.person_id,
    held.client_id,
    held.source = 'link' as is_decided
from analytics.identifiers as held
where held.person_id is not null and held.source <> 'never' and not exists (
    select from analytics.identifiers as never
    where never.identifier = held.identifier and never.source = 'never' and never.person_id = held.person_id
);

comment on view analytics.identifier_holders is
'The persons who have each identifier: in their own record, in a contact method that the application assigned to '
'them, or by decision. Persons excluded by a decision are left out.';
comment on column analytics.identifier_holders.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact '
'method without one. Personal data.';
comment on column analytics.identifier_holders.person_id is 'The person.';
comment on column analytics.identifier_holders.client_id is 'The person''s client.';
comment on column analytics.identifier_holders.is_decided is 'Whether a decision assigned it.';
