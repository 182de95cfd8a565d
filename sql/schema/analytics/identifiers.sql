create table analytics.identifiers (
    place text not null check (place in ('person', 'contact_method', 'conversation', 'link', 'never')),
    place_id uuid not null,
    kind text not null check (kind in ('email', 'phone', 'linkedin', 'session')),
    value text not null,
    identifier text,
    person_id uuid,
    client_id uuid,
    primary key (place_id, place, kind)
);
create index identifiers_identifier on analytics.identifiers (identifier);
create index identifiers_person_id on analytics.identifiers (person_id) where person_id is not null;

comment on table analytics.identifiers is
'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form. Internal.';
comment on column analytics.identifiers.place is
'Where it stands: person, contact_method or conversation; link or never: in a contact method that somebody decided on.';
comment on column analytics.identifiers.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';
comment on column analytics.identifiers.value is 'As the application spells it.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Of a contact method whose value is '
'none of these, its id, so that somebody can decide whose it is; null elsewhere.';
comment on column analytics.identifiers.person_id is
'Who has it: the person of the record, to whom the application gave the contact method, or whom the decision names.';
comment on column analytics.identifiers.client_id is 'That person''s client.';

create view analytics.identifier_places as
select
    'person' as place,
    person.id as place_id,
    given.kind,
    given.value,
    null::text as otherwise,
    person.id as person_id,
    person.client_id
from app.people as person
cross join lateral (
    values ('email', person.email), ('phone', person.phone), ('linkedin', person.linkedin_urn)
) as given (kind, value)
where given.value is not null
union all
select
    decision.decision,
    decision.id,
    contact.kind,
    contact.value,
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
inner join app.contact_methods as contact on contact.id = decision.contact_method_id
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null
union all
select
    'contact_method',
    contact.id,
    contact.kind,
    contact.value,
    contact.id::text,
    person.id,
    person.client_id
from app.contact_methods as contact
left join app.people as person on person.id = contact.person_id
union all
select
    'conversation',
    id,
    'session',
    session_id,
    null,
    null,
    null
from app.conversations
where crew_id is not null and session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$';

comment on view analytics.identifier_places is
'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. '
'Internal.';
comment on column analytics.identifier_places.place is
'person, contact_method, conversation, or of a decision: link, never.';
comment on column analytics.identifier_places.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifier_places.kind is 'email, phone, linkedin or session.';
comment on column analytics.identifier_places.value is 'As the application spells it.';
comment on column analytics.identifier_places.otherwise is 'What stands for the identifier if value is none.';
comment on column analytics.identifier_places.person_id is 'Who has it, where the application or a decision says so.';
comment on column analytics.identifier_places.client_id is 'That person''s client.';

create view analytics.identifier_holders as
select distinct
    place.identifier,
    place.person_id,
    place.client_id,
    place.place = 'link' as is_decided
from analytics.identifiers as place
where place.person_id is not null and place.place <> 'never' and not exists (
    select from analytics.identifiers as never
    where never.identifier = place.identifier and never.place = 'never' and never.person_id = place.person_id
);

comment on view analytics.identifier_holders is
'Who holds each identifier: by their own record, by a contact method that the application gave them, or by decision; '
'without those of whom it was decided that it never is theirs.';
comment on column analytics.identifier_holders.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact method without '
'one.';
comment on column analytics.identifier_holders.person_id is 'The person.';
comment on column analytics.identifier_holders.client_id is 'The person''s client.';
comment on column analytics.identifier_holders.is_decided is 'Whether by decision.';
