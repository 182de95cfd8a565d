create schema if not exists curation;
comment on schema curation is 'Decisions made by people. They cannot be computed again: back this schema up.';

create table if not exists curation.participant_decisions (
    id uuid primary key default gen_random_uuid(),
    contact_method_id uuid,
    person_id uuid not null,
    decision text not null check (decision in ('link', 'never')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    revoked_by text,
    revoked_at timestamptz,
    identifier text constraint participant_decisions_identifier check (
        identifier ~ '^[^@\s]+@[^@\s]+$|^\+[0-9]+(;ext=[0-9]+)?$|^urn:li:|^linkedin\.com/in/'
    ),
    check ((revoked_by is null) = (revoked_at is null)),
    constraint participant_decisions_is_about_one check (num_nonnulls(contact_method_id, identifier) = 1)
);
create unique index if not exists participant_decisions_in_force
on curation.participant_decisions (contact_method_id, person_id)
where revoked_at is null;
create unique index if not exists participant_decisions_identifier_in_force
on curation.participant_decisions (identifier, person_id)
where revoked_at is null;
create index if not exists participant_decisions_person_id on curation.participant_decisions (person_id);

comment on table curation.participant_decisions is
'Decisions that a contact method or identifier belongs to a person, or does not. A decision is revoked (set '
'revoked_at), never changed or deleted.';
comment on column curation.participant_decisions.id is 'Key of the decision.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods; null if the decision names an identifier. The decision also applies to '
'other contact methods and sessions with the same identifier.';
comment on column curation.participant_decisions.identifier is
'A canonical identifier, whether or not anybody has it: ana@example.com, +49301234567, urn:li:member:1, '
'linkedin.com/in/ana; null if the decision names a contact method. It applies to every contact method and session '
'with this identifier. Personal data.';
comment on column curation.participant_decisions.person_id is 'The person in app.people.';
comment on column curation.participant_decisions.decision is
'link: it belongs to the person, even if others match; never: it does not, even if it matches. What the '
'application sets takes precedence over both.';
comment on column curation.participant_decisions.reason is 'The reason for the decision.';
comment on column curation.participant_decisions.decided_by is
'The user who made the decision; if it is a steward, the role of the session, whatever was given.';
comment on column curation.participant_decisions.decided_at is 'When the decision was made.';
comment on column curation.participant_decisions.revoked_by is
'The user who revoked the decision, by the same rule; null while it is in force.';
comment on column curation.participant_decisions.revoked_at is
'When the decision was revoked; null while it is in force.';

create or replace function curation.check_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    may_name_others boolean := has_table_privilege(session_user, 'curation.participant_decisions', 'insert');
begin
    if tg_op = 'INSERT' then
        if not may_name_others then
            new.decided_by := session_user;
        end if;
        if new.identifier is null and not exists (select from app.contact_methods where id = new.contact_method_id) then
            raise exception 'there is no contact method %', new.contact_method_id using errcode = 'foreign_key_violation';
        elsif not exists (select from app.people where id = new.person_id) then
            raise exception 'there is no person %', new.person_id using errcode = 'foreign_key_violation';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('participant_decisions', 0));  -- one decides after the other
        if new.decision = 'link' and exists (
            select from curation.participant_decisions as former
            inner join app.people as other on other.id = former.person_id
            inner join app.people as person on person.id = new.person_id and person.client_id = other.client_id
            where (former.contact_method_id = new.contact_method_id or former.identifier = new.identifier)
                and former.decision = 'link' and former.revoked_at is null and former.person_id <> new.person_id
        ) then
            raise exception '% is linked to another person of that client: revoke that first',
                coalesce(new.identifier, 'contact method ' || new.contact_method_id)
            using errcode = 'unique_violation';
        end if;
    elsif old.revoked_at is not null
        or (old.id, old.contact_method_id, old.identifier, old.person_id, old.decision, old.reason, old.decided_by, old.decided_at)
        is distinct from
        (new.id, new.contact_method_id, new.identifier, new.person_id, new.decision, new.reason, new.decided_by, new.decided_at)
    then
        raise exception 'a decision is not changed: revoke it (set revoked_at = now()), and insert another'
        using errcode = 'restrict_violation';
    elsif new.revoked_at is not null then
        new.revoked_by := case when may_name_others then coalesce(new.revoked_by, session_user) else session_user end;
    end if;
    return new;
end
$$;
create or replace trigger check_decision before insert or update on curation.participant_decisions
for each row execute function curation.check_decision();
create or replace trigger convo_pipelines_insert after insert on curation.participant_decisions
referencing new table as new_rows
for each statement execute function analytics.log_participant_decisions();
create or replace trigger convo_pipelines_update after update on curation.participant_decisions
referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_participant_decisions();
create or replace trigger convo_pipelines_delete after delete on curation.participant_decisions
referencing old table as old_rows
for each statement execute function analytics.log_participant_decisions();
create or replace trigger convo_pipelines_truncate after truncate on curation.participant_decisions
for each statement execute function analytics.log_participant_decisions();
alter table curation.participant_decisions enable always trigger convo_pipelines_insert;
alter table curation.participant_decisions enable always trigger convo_pipelines_update;
alter table curation.participant_decisions enable always trigger convo_pipelines_delete;
alter table curation.participant_decisions enable always trigger convo_pipelines_truncate;
