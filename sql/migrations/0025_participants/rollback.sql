-- Recipients and session ids are resolved by two rules, and nobody decides. Decisions that were made stay.
drop trigger convo_pipelines_insert on curation.participant_decisions;
drop trigger convo_pipelines_update on curation.participant_decisions;
drop trigger convo_pipelines_delete on curation.participant_decisions;
drop trigger convo_pipelines_truncate on curation.participant_decisions;

drop view analytics.conversation_people;
drop view analytics.identifier_holders;
drop view analytics.identifier_places;
drop function analytics.holder_of(text, uuid);
drop function analytics.kind_of(text);

do $$
begin
    if not exists (select from curation.participant_decisions) then
        drop table curation.participant_decisions;
        drop function curation.check_decision;
        drop schema curation;
    end if;
end
$$;

delete from analytics.participant_resolutions where method = 'decision';
alter table analytics.participant_resolutions
drop constraint participant_resolutions_method_check,
add constraint participant_resolutions_method_check check (method in ('manual', 'email', 'phone', 'linkedin'));
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several have this identifier; unmatched: nobody has; invalid: it is none.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; email, phone, linkedin: matched by that identifier; null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 manual, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons that have this identifier, in their own record or by a contact method the application gave them.';

delete from analytics.identifiers where place in ('link', 'never');
update analytics.identifiers
set identifier = null
where place = 'contact_method' and identifier = place_id::text;
drop index analytics.identifiers_person_id;
alter table analytics.identifiers
drop column client_id,
drop constraint identifiers_place_check,
add constraint identifiers_place_check check (place in ('person', 'contact_method', 'conversation'));
comment on column analytics.identifiers.place is 'Where it stands: person, contact_method or conversation.';
comment on column analytics.identifiers.place_id is 'The person, the contact method or the crew''s conversation.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; null if value is none of these.';
comment on column analytics.identifiers.person_id is
'Who has it: the person of the record, or to whom the application gave the contact method; null: nobody for certain.';

create table analytics.session_resolutions (
    conversation_id uuid primary key references app.conversations on delete cascade,
    person_id uuid references app.people on delete set null,
    candidate_count bigint not null,
    resolved_at timestamptz not null default now()
);
create index session_resolutions_person_id on analytics.session_resolutions (person_id);

comment on table analytics.session_resolutions is
'Whom the session id of a crew''s conversation names, where it is an identifier: one row per such conversation.';
comment on column analytics.session_resolutions.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.session_resolutions.person_id is
'The person, if exactly one of the conversation''s client has it.';
comment on column analytics.session_resolutions.candidate_count is 'Persons of the conversation''s client that have it.';
comment on column analytics.session_resolutions.resolved_at is 'When this row last changed.';

create view analytics.identifier_places as
select
    'person' as place,
    person.id as place_id,
    given.kind,
    given.value,
    person.id as person_id
from app.people as person
cross join lateral (
    values ('email', person.email), ('phone', person.phone), ('linkedin', person.linkedin_urn)
) as given (kind, value)
where given.value is not null
union all
select 'contact_method', id, kind, value, person_id
from app.contact_methods
union all
select 'conversation', id, 'session', session_id, null
from app.conversations
where crew_id is not null and session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$';

comment on view analytics.identifier_places is
'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. Internal.';
comment on column analytics.identifier_places.place is 'person, contact_method or conversation.';
comment on column analytics.identifier_places.place_id is 'The person, the contact method or the crew''s conversation.';
comment on column analytics.identifier_places.kind is 'email, phone, linkedin or session.';
comment on column analytics.identifier_places.value is 'As the application spells it.';
comment on column analytics.identifier_places.person_id is 'Who has it, where the application says so.';

create or replace function analytics.confidence_of(method text) returns numeric
language sql immutable parallel safe
return case method when 'manual' then 1.00 when 'email' then 0.95 when 'phone' then 0.90 when 'linkedin' then 0.85 end;

comment on function analytics.confidence_of is
'How sure a method is: the application says so, or an e-mail address, a phone number, a LinkedIn profile does.';

create view analytics.identifier_holders as
select
    place.identifier,
    person.id as person_id,
    person.client_id
from analytics.identifiers as place
inner join app.people as person on person.id = place.person_id
where place.identifier is not null;

comment on view analytics.identifier_holders is
'Who holds each identifier: by the person''s own record, or by a contact method that the application gave them.';
comment on column analytics.identifier_holders.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana.';
comment on column analytics.identifier_holders.person_id is 'The person.';
comment on column analytics.identifier_holders.client_id is 'The person''s client.';

create view analytics.conversation_people as
select
    participant.conversation_id,
    person.id as person_id,
    'recipient' as via,
    participant.contact_method_id,
    resolution.method,
    resolution.confidence
from (
    select distinct
        message.conversation_id,
        recipient.contact_method_id
    from app.messages as message
    inner join app.message_recipients as recipient on recipient.message_id = message.id
) as participant
inner join analytics.conversation_owners as owner on owner.conversation_id = participant.conversation_id
inner join analytics.participant_resolutions as resolution on resolution.contact_method_id = participant.contact_method_id
inner join app.people as person on person.id = resolution.person_id
where resolution.method = 'manual' or owner.client_id is null or owner.client_id = person.client_id
union all
select
    resolution.conversation_id,
    person.id,
    'session',
    null,
    named.method,
    analytics.confidence_of(named.method)
from analytics.session_resolutions as resolution
inner join app.people as person on person.id = resolution.person_id
inner join analytics.identifiers as place on place.place_id = resolution.conversation_id and place.place = 'conversation'
cross join lateral (
    select case when place.identifier like '%@%' then 'email' when place.identifier like '+%' then 'phone' else 'linkedin' end
        as method
) as named;

comment on view analytics.conversation_people is
'Who is in a conversation, and why: a contact method of theirs, or resolved to be theirs, is recipient of a message, in any '
'role, or its session id names them. What is matched never takes a conversation that belongs to one client to a person of '
'another; what the application sets does. Ask for some conversations: of all, it reads every message.';
comment on column analytics.conversation_people.conversation_id is 'The conversation.';
comment on column analytics.conversation_people.person_id is 'The person.';
comment on column analytics.conversation_people.via is 'recipient, or session: what names them.';
comment on column analytics.conversation_people.contact_method_id is 'The recipient''s contact method; null: the session id.';
comment on column analytics.conversation_people.method is
'manual: the application says whose contact method it is; email, phone, linkedin: the identifier that matched.';
comment on column analytics.conversation_people.confidence is 'How sure that is, from 0 to 1.';

comment on column analytics.identifier_changes.id is
'The person, contact method, crew or client; null: everything of the source.';

delete from analytics.identifier_changes where source = 'participant_decisions';
insert into analytics.identifier_changes (source, operation) values ('people', 'everything');
