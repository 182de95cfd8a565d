-- name: keys
-- Chooses the decisions on contact methods or an identifier as the keys of participant_resolutions, revoked ones included.
-- in:  %(contacts)s, %(identifier)s: contact methods; an identifier, or null
-- out: keys
create temporary table pg_temp.keys on commit drop as
select
    decision as source,
    id
from curation.participant_decisions
where contact_method_id = any(%(contacts)s) or identifier = %(identifier)s;


-- name: revoke
-- Revokes a decision.
-- in:  %(id)s; %(by)s: name
-- out: id; no row if it is not in force
update curation.participant_decisions
set
    revoked_at = now(),
    revoked_by = %(by)s
where id = %(id)s and revoked_at is null
returning id;


-- name: list
-- Decisions, the newest first.
-- in:  %(is_all)s: include revoked ones; %(contacts)s, %(identifier)s: only on these contact methods or this identifier, or null
-- out: one row per decision; client and person's name are null if the person no longer exists
select
    decision.id,
    decision.decision,
    coalesce(decision.identifier, contact.value) as contact,
    decision.person_id,
    person.name as person,
    client.client_code as client,
    decision.reason,
    decision.decided_by,
    to_char(decision.decided_at, 'YYYY-MM-DD HH24:MI') as decided_at,
    decision.revoked_by,
    to_char(decision.revoked_at, 'YYYY-MM-DD HH24:MI') as revoked_at
from curation.participant_decisions as decision
left join app.contact_methods as contact on contact.id = decision.contact_method_id
left join app.people as person on person.id = decision.person_id
left join app.clients as client on client.id = person.client_id
where (%(is_all)s or decision.revoked_at is null)
    and (
        %(contacts)s::uuid[] is null
        or decision.contact_method_id = any(%(contacts)s)
        or decision.identifier = %(identifier)s
    )
order by decision.decided_at desc, decision.id;


-- name: replace
-- Revokes what a decision replaces: the opposite; and, for a link, the link to another person of the same client.
-- in:  %(contacts)s, %(identifier)s: contact methods with one identifier, and the identifier, or null;
--      %(person_id)s, %(decision)s: the decision; %(by)s: name
update curation.participant_decisions as former
set
    revoked_at = now(),
    revoked_by = %(by)s
where former.revoked_at is null
    and (former.contact_method_id = any(%(contacts)s) or former.identifier = %(identifier)s)
    and case
        when former.person_id = %(person_id)s::uuid then former.decision <> %(decision)s
        else former.decision = 'link' and %(decision)s = 'link' and exists (
            select from app.people as person
            inner join app.people as other on other.client_id = person.client_id
            where person.id = %(person_id)s::uuid and other.id = former.person_id
        )
    end;


-- name: decide
-- Inserts a decision, unless the same is in force.
-- in:  %(contact_id)s: the contact method it names; null: it names %(identifier)s; %(contacts)s: all contact methods with that
--      identifier; %(person_id)s; %(decision)s: link or never; %(reason)s; %(by)s: name
insert into curation.participant_decisions (contact_method_id, identifier, person_id, decision, reason, decided_by)
select
    %(contact_id)s::uuid,
    case when %(contact_id)s::uuid is null then %(identifier)s::text end,
    %(person_id)s,
    %(decision)s,
    %(reason)s,
    %(by)s
where not exists (
    select from curation.participant_decisions
    where revoked_at is null
        and (contact_method_id = any(%(contacts)s) or identifier = %(identifier)s)
        and person_id = %(person_id)s
        and decision = %(decision)s
);


-- name: people
-- The persons in the conversations in which an identifier occurs.
-- in:  {conversations}: those in which it occurs; %(key)s: the identifier, or the id of a contact method without one
-- out: client, person_id, person, conversation_id, channel, started_at
select distinct
    client.client_code as client,
    person.id as person_id,
    person.name as person,
    conversation.id as conversation_id,
    conversation.channel,
    to_char(conversation.started_at, 'YYYY-MM-DD HH24:MI') as started_at
from analytics.conversation_people as party
inner join app.people as person on person.id = party.person_id
inner join app.clients as client on client.id = person.client_id
inner join app.conversations as conversation on conversation.id = party.conversation_id
where party.conversation_id = any(array(
{conversations}
));
