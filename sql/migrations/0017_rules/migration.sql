-- The rules by which conversations get their people, each in one place: refreshes, checks and analysts read them.
create function analytics.confidence_of(method text) returns numeric
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

create view analytics.conversation_clients as
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
    'crew',
    null
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
where conversation.crew_id is not null and owner.client_id is not null;

comment on view analytics.conversation_clients is
'Which clients are in a conversation, and why: a person of theirs is, or it is a session of their crew.';
comment on column analytics.conversation_clients.conversation_id is 'The conversation.';
comment on column analytics.conversation_clients.client_id is 'The client.';
comment on column analytics.conversation_clients.via is 'person or crew: what takes it there.';
comment on column analytics.conversation_clients.person_id is 'The person; null: the crew.';
