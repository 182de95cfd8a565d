-- Who a participant is, by one rule for recipients and session ids: within the conversation's client, by decisions first.

-- Decisions outlive analytics: they are here already if it was dropped and is built again.
create schema if not exists curation;
comment on schema curation is 'What people decide by hand. Nothing of it can be computed again: back it up.';

create table if not exists curation.participant_decisions (
    id uuid primary key default gen_random_uuid(),
    contact_method_id uuid not null,
    person_id uuid not null,
    decision text not null check (decision in ('link', 'never')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    revoked_by text,
    revoked_at timestamptz,
    check ((revoked_by is null) = (revoked_at is null))
);
create unique index if not exists participant_decisions_in_force
on curation.participant_decisions (contact_method_id, person_id) where revoked_at is null;
create index if not exists participant_decisions_person_id on curation.participant_decisions (person_id);

comment on table curation.participant_decisions is
'Whose contact methods are, and are not, by somebody''s decision. It is revoked (set revoked_at), never changed or deleted.';
comment on column curation.participant_decisions.id is 'The decision.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods; whatever has the same identifier is meant, too.';
comment on column curation.participant_decisions.person_id is 'The person in app.people.';
comment on column curation.participant_decisions.decision is
'link: it is theirs, whatever else matches; never: it is not, though it match. The application''s own word outranks both.';
comment on column curation.participant_decisions.reason is 'Why.';
comment on column curation.participant_decisions.decided_by is 'By whom.';
comment on column curation.participant_decisions.decided_at is 'When.';
comment on column curation.participant_decisions.revoked_by is 'Who revoked it; null: it is in force.';
comment on column curation.participant_decisions.revoked_at is 'When it was revoked; null: it is in force.';

create or replace function curation.check_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        if not exists (select from app.contact_methods where id = new.contact_method_id) then
            raise exception 'there is no contact method %', new.contact_method_id using errcode = 'foreign_key_violation';
        elsif not exists (select from app.people where id = new.person_id) then
            raise exception 'there is no person %', new.person_id using errcode = 'foreign_key_violation';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('participant_decisions', 0));  -- one decides after the other
        if new.decision = 'link' and exists (
            select from curation.participant_decisions as former
            inner join app.people as other on other.id = former.person_id
            inner join app.people as person on person.id = new.person_id and person.client_id = other.client_id
            where former.contact_method_id = new.contact_method_id and former.decision = 'link'
                and former.revoked_at is null and former.person_id <> new.person_id
        ) then
            raise exception 'contact method % is linked to another person of that client: revoke that first', new.contact_method_id
            using errcode = 'unique_violation';
        end if;
    elsif old.revoked_at is not null
        or (old.id, old.contact_method_id, old.person_id, old.decision, old.reason, old.decided_by, old.decided_at)
        is distinct from (new.id, new.contact_method_id, new.person_id, new.decision, new.reason, new.decided_by, new.decided_at)
    then
        raise exception 'a decision is not changed: revoke it (set revoked_at = now()), and insert another'
        using errcode = 'restrict_violation';
    elsif new.revoked_at is not null then
        new.revoked_by := coalesce(new.revoked_by, session_user);
    end if;
    return new;
end
$$;
create or replace trigger check_decision before insert or update on curation.participant_decisions
for each row execute function curation.check_decision();

create or replace trigger convo_pipelines_insert after insert on curation.participant_decisions
referencing new table as new_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_update after update on curation.participant_decisions
referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_delete after delete on curation.participant_decisions
referencing old table as old_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_truncate after truncate on curation.participant_decisions
for each statement execute function analytics.log_identifiers('participant_decisions');
alter table curation.participant_decisions
enable always trigger convo_pipelines_insert,
enable always trigger convo_pipelines_update,
enable always trigger convo_pipelines_delete,
enable always trigger convo_pipelines_truncate;

-- Identifiers: who has them, of which client, by whose word. Whom a session id names follows from that, like a recipient.
drop view analytics.conversation_people;
drop view analytics.identifier_holders;
drop view analytics.identifier_places;
drop table analytics.session_resolutions;

alter table analytics.identifiers
drop constraint identifiers_place_check,
add constraint identifiers_place_check check (place in ('person', 'contact_method', 'conversation', 'link', 'never')),
add column client_id uuid;
create index identifiers_person_id on analytics.identifiers (person_id) where person_id is not null;
update analytics.identifiers as place
set client_id = person.client_id
from app.people as person
where person.id = place.person_id;
update analytics.identifiers
set identifier = place_id::text
where place = 'contact_method' and identifier is null;

comment on column analytics.identifiers.place is
'Where it stands: person, contact_method or conversation; link or never: in a contact method that somebody decided on.';
comment on column analytics.identifiers.place_id is 'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Of a contact method whose value is none '
'of these, its id, so that somebody can decide whose it is; null elsewhere.';
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
'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. Internal.';
comment on column analytics.identifier_places.place is 'person, contact_method, conversation, or of a decision: link, never.';
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
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact method without one.';
comment on column analytics.identifier_holders.person_id is 'The person.';
comment on column analytics.identifier_holders.client_id is 'The person''s client.';
comment on column analytics.identifier_holders.is_decided is 'Whether by decision.';

create function analytics.holder_of(wanted text, client uuid)
returns table (person_id uuid, is_decided boolean, candidate_count bigint)
language sql stable
as $$
    select
        case
            when count(*) filter (where is_decided) = 1 then min(person_id::text) filter (where is_decided)
            when count(distinct person_id) = 1 then min(person_id::text)
        end::uuid,
        bool_or(is_decided),
        count(distinct person_id)
    from analytics.identifier_holders
    where identifier = wanted and (client is null or client_id = client)
$$;

comment on function analytics.holder_of is
'Whom an identifier names among the persons of a client, or all if that is null: who was decided, else who holds it, if '
'that is exactly one; and how many there are.';

create or replace function analytics.confidence_of(method text) returns numeric
language sql immutable parallel safe
return case method
    when 'manual' then 1.00 when 'decision' then 1.00 when 'email' then 0.95 when 'phone' then 0.90 when 'linkedin' then 0.85
end;
comment on function analytics.confidence_of is
'How sure a method is: the application or a decision says so, or an e-mail address, a phone number, a LinkedIn profile.';

create function analytics.kind_of(identifier text) returns text
language sql immutable parallel safe
return case when identifier like '%@%' then 'email' when identifier like '+%' then 'phone' else 'linkedin' end;
comment on function analytics.kind_of is 'email, phone or linkedin: what a canonical identifier is.';

create view analytics.conversation_people as
select
    participant.conversation_id,
    person.id as person_id,
    case place.place when 'contact_method' then 'recipient' else 'session' end as via,
    case place.place when 'contact_method' then place.place_id end as contact_method_id,
    named.method,
    analytics.confidence_of(named.method) as confidence,
    named.method <> 'manual' and exists (
        select from analytics.identifier_holders as other
        where other.identifier = place.identifier and other.client_id <> owner.client_id
    ) as is_narrowed
from (
    select distinct
        message.conversation_id,
        'contact_method' as place,
        recipient.contact_method_id as place_id
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
inner join analytics.identifiers as place
    on place.place_id = participant.place_id and place.place = participant.place
cross join lateral analytics.holder_of(
    case when place.person_id is null then place.identifier end, owner.client_id
) as holder
inner join app.people as person on person.id = coalesce(place.person_id, holder.person_id)
cross join lateral (
    select
        case
            when place.person_id is not null then 'manual'
            when holder.is_decided then 'decision'
            else analytics.kind_of(place.identifier)
        end as method
) as named;

comment on view analytics.conversation_people is
'Who is in a conversation, and why: a contact method of theirs, or resolved to be theirs, is recipient of a message, in any '
'role, or its session id names them. What is decided or matched never takes a conversation that belongs to one client to a '
'person of another; what the application sets does. Ask for some conversations: of all, it reads every message.';
comment on column analytics.conversation_people.conversation_id is 'The conversation.';
comment on column analytics.conversation_people.person_id is 'The person.';
comment on column analytics.conversation_people.via is 'recipient, or session: what names them.';
comment on column analytics.conversation_people.contact_method_id is 'The recipient''s contact method; null: the session id.';
comment on column analytics.conversation_people.method is
'manual: the application says whose it is; decision: somebody decided; email, phone, linkedin: the identifier that matched.';
comment on column analytics.conversation_people.confidence is 'How sure that is, from 0 to 1.';
comment on column analytics.conversation_people.is_narrowed is
'Whether persons of other clients have the identifier too, so that it is the conversation''s client that tells who is meant.';

alter table analytics.participant_resolutions
drop constraint participant_resolutions_method_check,
add constraint participant_resolutions_method_check
check (method in ('manual', 'decision', 'email', 'phone', 'linkedin'));
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several have this identifier, of whom a conversation''s client may leave one; '
'unmatched: nobody has; invalid: it is none.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; decision: by somebody''s decision; email, phone, linkedin: matched by that identifier; '
'null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 manual and decision, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons that have this identifier, in their own record, by a contact method the application gave them, or by decision.';

comment on column analytics.identifier_changes.id is
'The person, contact method, crew, client or decision; null: everything of the source.';

insert into analytics.conversation_changes (source, operation) values ('people_conversations again', 'everything');
insert into analytics.identifier_changes (source, operation) values ('participant_decisions', 'everything');
