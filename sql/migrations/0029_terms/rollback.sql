-- Restores the former names; rows are kept.
alter table analytics.alerts rename column notified_at to told_at;

update analytics.session_changes
set operation = 'unplaced'
where operation = 'unusable';
create or replace function analytics.log_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    sessions text[];
    days date[];
begin
    begin
        if tg_op = 'TRUNCATE' then
            sessions := array[null]::text[];
            days := array[null]::date[];
        elsif tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                sessions := array[old.session_id::text];
                days := array[(old.created_at at time zone 'UTC')::date];
            end if;
            if tg_op <> 'DELETE' then
                sessions := sessions || new.session_id::text;
                days := days || (new.created_at at time zone 'UTC')::date;
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from new_rows
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
            ) as changed;
        else
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
                union
                select session_id::text, (created_at at time zone 'UTC')::date from new_rows
            ) as changed;
        end if;
    exception when others then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operation := case when tg_op = 'DELETE' then 'truncate' else 'everything' end;
    end;
    insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
    select
        tg_relid,
        changed.session_id,
        changed.day,
        case
            when operation in ('everything', 'truncate') or changed.session_id is not null and changed.day is not null
                then operation
            else 'unplaced'
        end
    from unnest(sessions, days) as changed (session_id, day);
    return null;
end
$$;

update analytics.conversation_changes
set source = replace(source, ' retry', ' again')
where source like '% retry';
update analytics.identifier_changes
set source = replace(source, ' retry', ' again')
where source like '% retry';
update analytics.refresh_state
set
    follows = array(
        select regexp_replace(entry, ' retry$', ' again')
        from unnest(follows) with ordinality as entries (entry, number)
        order by number
    ),
    written_by = case
        when mod(written_by::text::numeric, 4294967296) = xmin::text::numeric then pg_current_xact_id() else written_by
    end
where exists (
    select from unnest(follows) as entry
    where entry like '% retry'
);

alter table analytics.identifiers rename column source to place;
alter table analytics.identifiers rename column source_id to place_id;
alter table analytics.identifiers rename constraint identifiers_source_check to identifiers_place_check;
do $$
begin  -- PostgreSQL 18 names these constraints
    if exists (
        select from pg_constraint
        where conrelid = 'analytics.identifiers'::regclass and conname = 'identifiers_source_not_null'
    ) then
        alter table analytics.identifiers rename constraint identifiers_source_not_null to identifiers_place_not_null;
        alter table analytics.identifiers rename constraint identifiers_source_id_not_null to identifiers_place_id_not_null;
    end if;
end
$$;
alter view analytics.identifier_sources rename to identifier_places;
alter view analytics.identifier_places rename column source to place;
alter view analytics.identifier_places rename column source_id to place_id;
create or replace view analytics.identifier_places as
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

create or replace view analytics.identifier_holders as
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

create or replace view analytics.conversation_people as
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

create or replace view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where pg_visible_in_snapshot(change.xid, state.snapshot)
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting;

drop function analytics.is_new;
drop function analytics.is_unread;
create function analytics.is_new(xid xid8, seen pg_snapshot, taken pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(seen) and not pg_visible_in_snapshot(xid, seen) and pg_visible_in_snapshot(xid, taken);

create or replace view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting;

comment on schema analytics is
'Derived by convo_pipelines from app and the crews'' histories tables; can be dropped and rebuilt at any time.';
comment on schema curation is 'What people decide by hand. Nothing of it can be computed again: back it up.';
comment on table curation.participant_decisions is
'Whose contact methods are, and are not, by somebody''s decision. It is revoked (set revoked_at), never changed or '
'deleted.';
comment on column curation.participant_decisions.id is 'The decision.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods; whatever has the same identifier is meant, too.';
comment on column curation.participant_decisions.decision is
'link: it is theirs, whatever else matches; never: it is not, though it match. The application''s own word '
'outranks both.';
comment on column curation.participant_decisions.reason is 'Why.';
comment on column curation.participant_decisions.decided_by is 'By whom.';
comment on column curation.participant_decisions.decided_at is 'When.';
comment on column curation.participant_decisions.revoked_by is 'Who revoked it; null: it is in force.';
comment on column curation.participant_decisions.revoked_at is 'When it was revoked; null: it is in force.';
comment on table analytics.identifiers is
'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form. '
'Internal.';
comment on column analytics.identifiers.place is
'Where it stands: person, contact_method or conversation; link or never: in a contact method that somebody '
'decided on.';
comment on column analytics.identifiers.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';
comment on column analytics.identifiers.value is 'As the application spells it.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Of a contact method whose value '
'is none of these, its id, so that somebody can decide whose it is; null elsewhere.';
comment on column analytics.identifiers.person_id is
'Who has it: the person of the record, to whom the application gave the contact method, or whom the decision '
'names.';
comment on view analytics.identifier_places is
'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. '
'Internal.';
comment on column analytics.identifier_places.place is
'person, contact_method, conversation, or of a decision: link, never.';
comment on column analytics.identifier_places.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifier_places.value is 'As the application spells it.';
comment on column analytics.identifier_places.otherwise is 'What stands for the identifier if value is none.';
comment on column analytics.identifier_places.person_id is 'Who has it, where the application or a decision says so.';
comment on view analytics.identifier_holders is
'Who holds each identifier: by their own record, by a contact method that the application gave them, or by '
'decision; without those of whom it was decided that it never is theirs.';
comment on column analytics.identifier_holders.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact method '
'without one.';
comment on column analytics.identifier_holders.is_decided is 'Whether by decision.';
comment on table analytics.webhook_refreshes is
'What the webhook did to each table, noted once a minute; rows go after a week.';
comment on column analytics.webhook_refreshes.id is 'In the order in which it was noted.';
comment on column analytics.webhook_refreshes.sessions is 'Sessions that were asked for.';
comment on column analytics.webhook_refreshes.noted_at is 'When it was noted.';
comment on table analytics.participant_resolutions is 'Whose each contact method is: one row per contact method.';
comment on column analytics.participant_resolutions.person_id is 'The person, if the status is resolved; else null.';
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several have this identifier, of whom a conversation''s client may leave '
'one; unmatched: nobody has; invalid: it is none.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; decision: by somebody''s decision; email, phone, linkedin: matched by that '
'identifier; null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 manual and decision, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons that have this identifier, in their own record, by a contact method the application gave them, or by '
'decision.';
comment on view analytics.unknown_senders is
'Contact methods that write to us and are nobody''s for certain, and how often they do.';
comment on table analytics.catalog_state is 'When the catalog was last looked at table by table: one row. Internal.';
comment on column analytics.catalog_state.fingerprint is
'Of the tables, partitions, triggers, crews and clients at that time; null: to be looked at.';
comment on column analytics.catalog_state.seen_at is 'When that was.';
comment on table analytics.alerts is
'What is not as it should be, who has been told, and whether that succeeded; rows go once their end has been '
'told.';
comment on column analytics.alerts.source is 'Who noticed: health, runs or checks.';
comment on column analytics.alerts.kind is 'What is wrong.';
comment on column analytics.alerts.subject is 'With which table, crew, job or check.';
comment on column analytics.alerts.found is 'How much, or how many.';
comment on column analytics.alerts.link is 'Where the UI shows it; null: DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.since is 'Since when.';
comment on column analytics.alerts.ended_at is 'When it was over; null: it is not.';
comment on column analytics.alerts.told_at is 'When somebody was last told that it is so; null: not yet.';
comment on column analytics.alerts.failed_deliveries is 'How often in a row telling failed.';
comment on column analytics.project_link_inconsistencies.conversation_id is 'The conversation, which need not exist.';
comment on column analytics.project_link_inconsistencies.kind is
'stale_id: in the array, but there is no such conversation; project_mismatch: in the array, but the conversation '
'names another project or none; missing_from_array: the conversation names the project, the array lacks it.';
comment on column analytics.project_link_inconsistencies.first_seen_at is 'When a refresh first found it.';
comment on column analytics.project_link_inconsistencies.last_seen_at is 'When a refresh last looked and it was there.';
comment on column analytics.project_link_inconsistencies.named_project_id is
'The project that the conversation names; null: it names none, or does not exist.';
comment on table analytics.oddities is
'Rows of the application that are left out or read otherwise than written, by table, crew and kind. What a tick '
'meets is noted; the nightly reconcile counts them all, and drops what is no longer there.';
comment on column analytics.oddities.asset_key is 'The derived table that met them.';
comment on column analytics.oddities.crew_id is 'The crew; null: the table is not read per crew.';
comment on column analytics.oddities.kind is 'What is odd about them.';
comment on column analytics.oddities.rows is 'How many: after a reconcile all there are, later at least so many.';
comment on column analytics.oddities.example is 'The key of one of them.';
comment on column analytics.oddities.remedy is 'What to do about them.';
comment on column analytics.oddities.first_seen_at is 'When the first was met.';
comment on column analytics.oddities.last_seen_at is 'When the last was met.';
comment on view analytics.client_names is 'What each client is called.';
comment on column analytics.client_names.client_code is 'Its code.';
comment on column analytics.client_names.client_name is 'Its name.';
comment on column analytics.client_names.is_active is 'Whether its crews are read.';
comment on view analytics.crew_names is 'What each crew is called.';
comment on column analytics.crew_names.crew_code is 'Its code.';
comment on column analytics.crew_names.crew_name is 'Its name.';
comment on column analytics.crew_names.client_id is 'Its client now.';
comment on column analytics.crew_names.is_active is 'Whether it is read.';
comment on view analytics.project_names is 'What each project is called.';
comment on column analytics.project_names.project_name is 'Its name.';
comment on column analytics.project_names.user_id is 'Whose it is.';
comment on view analytics.person_names is 'Who each person is. Personal data.';
comment on view analytics.contact_method_values is 'What each contact method is. Personal data.';
comment on column analytics.contact_method_values.value is
'The address, number or profile, as the application spells it.';
comment on column analytics.contact_method_values.person_id is
'Whose it is, by the application''s word; see participant_resolutions.';
comment on column analytics.busiest_crews.client_id is 'The crew''s client now.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s client now.';
comment on view analytics.busiest_crews is
'The crews of the last 30 UTC days and today, the one with most messages first.';
comment on column analytics.busiest_crews.place is '1 for the busiest; equal crews share a place.';
comment on column analytics.changes.is_everything is 'Whether everything of the source is to be read again.';
comment on column analytics.changes.source is 'The table whose row changed; histories: any histories table.';
comment on column analytics.conversation_changes.conversation_id is
'The conversation; null with a crew_id or client_id: of a session, or a day; null without: everything of the '
'source.';
comment on column analytics.conversation_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was '
'locked.';
comment on column analytics.identifier_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was '
'locked.';
comment on table analytics.identifier_changes is
'Change log of people, contact methods, crews, clients, and of whose each contact method is. Internal.';
comment on column analytics.conversation_owners.client_id is 'Its client; null: it names none and has no crew.';
comment on view analytics.conversation_owners is
'Whose conversation it is: the client it names; only where it names none, the client of its crew.';
comment on column analytics.conversation_people.confidence is 'How sure that is, from 0 to 1.';
comment on column analytics.conversation_people.contact_method_id is
'The recipient''s contact method; null: the session id.';
comment on column analytics.conversation_people.via is 'recipient, or session: what names them.';
comment on column analytics.conversation_people.method is
'manual: the application says whose it is; decision: somebody decided; email, phone, linkedin: the identifier '
'that matched.';
comment on column analytics.conversation_people.is_narrowed is
'Whether persons of other clients have the identifier too, so that it is the conversation''s client that tells who '
'is meant.';
comment on view analytics.conversation_people is
'Who is in a conversation, and why: a contact method of theirs, or resolved to be theirs, is recipient of a '
'message, in any role, or its session id names them. What is decided or matched never takes a conversation that '
'belongs to one client to a person of another; what the application sets does. Ask for some conversations: of '
'all, it reads every message.';
comment on column analytics.conversation_summaries.client_id is
'The client the conversation belongs to: the one it names, else its crew''s.';
comment on column analytics.conversation_summaries.participant_count is
'Distinct contact methods among the recipients (from, to, cc, bcc); in a session, how many of human and ai wrote.';
comment on column analytics.conversation_summaries.inbound_count is 'Inbound messages; human ones in a session.';
comment on column analytics.conversation_summaries.outbound_count is 'Outbound messages; ai ones in a session.';
comment on column analytics.conversation_summaries.source is
'Where the messages are: histories (the crew''s histories table) or messages (app.messages).';
comment on table analytics.conversation_summaries is
'One row per conversation that has a message, whatever its source: a crew''s sessions or app.messages.';
comment on view analytics.conversations_per_project is 'How many conversations each project has; none: no row.';
comment on column analytics.conversations_per_project.conversations is 'How many conversations name it.';
comment on column analytics.crew_discovery_state.client_id is 'Its client at the last look.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The table it was last read from.';
comment on column analytics.crew_discovery_state.conversations_created is 'Rows given to app.conversations so far.';
comment on column analytics.crew_discovery_state.is_discovered is
'Whether it and its client were active at the last look; switched on again, it is read from the start.';
comment on column analytics.crew_discovery_state.last_warning is 'What the last run wants somebody to look at.';
comment on column analytics.crew_discovery_state.mode is
'captured: its changes are logged; window: the last two days at each tick, the rest nightly.';
comment on table analytics.crew_discovery_state is 'How each crew''s discovery fares.';
comment on column analytics.freshness.as_of is
'Everything committed before is accounted for, as far as the tables it is derived from have it; null: not built '
'yet.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last ended well.';
comment on column analytics.freshness.waiting_since is 'When the oldest of them was made; null: none waits.';
comment on view analytics.freshness is 'As of when each table is right: everything committed before as_of is in it.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that helps.';
comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills read by, but that lead no valid index.';
comment on column analytics.people_conversations.updated_at is 'When the link was last written; a right link is not.';
comment on column analytics.clients_conversations.updated_at is 'When the link was last written; a right link is not.';
comment on table analytics.people_conversations is
'Who is in which conversation: a recipient of any of its messages, in any role, or the session id of a crew''s.';
comment on table analytics.clients_conversations is 'Whose people or crew are in which conversation.';
comment on column analytics.clients_conversations.channel is 'Of the conversation.';
comment on column analytics.clients_conversations.crew_id is 'Of the conversation, if it is a crew''s.';
comment on column analytics.clients_conversations.started_at is 'When the conversation was started.';
comment on column analytics.clients_conversations.closed_at is 'When it was closed; null while it is open.';
comment on view analytics.conversation_clients is
'Which clients are in a conversation, and why: a person of theirs is, or it is a session of their crew.';
comment on column analytics.conversation_clients.via is 'person or crew: what takes it there.';
comment on column analytics.conversation_clients.person_id is 'The person; null: the crew.';
comment on view analytics.person_timeline is 'The conversations each person is in; order it by started_at.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark once the first build has ended; logs are kept from it on.';
comment on column analytics.refresh_state.follows is
'The tables whose changes it reads, or of which only some operations: conversations delete.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last ended well.';
comment on column analytics.refresh_state.lease_holder is 'Who is at work on a tick of the table; null: nobody.';
comment on column analytics.refresh_state.lease_until is
'Until when, unless renewed: a dead holder''s lease ends by itself.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in it has been accounted for; null until the table has been built.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row; where it is not the row''s own xmin, the row was restored from another '
'server.';
comment on table analytics.refresh_state is 'How far each derived table has accounted for the change logs.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows; with operation everything: from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update, delete; everything: read the whole table again; truncate: that, and rows are gone; unplaced: '
'rows without a session or a time, which are left out.';
comment on column analytics.session_changes.session_id is
'The session; with operation everything: of its day, after this session; null: see operation.';
comment on column analytics.session_changes.table_oid is 'The histories table, or the partition of one.';
comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that a transaction wrote to. Internal.';
comment on function analytics.confidence_of(method text) is
'How sure a method is: the application or a decision says so, or an e-mail address, a phone number, a LinkedIn '
'profile.';
comment on function analytics.holder_of(wanted text, client uuid) is
'Whom an identifier names among the persons of a client, or all if that is null: who was decided, else who holds '
'it, if that is exactly one; and how many there are.';
comment on function analytics.kind_of(identifier text) is 'email, phone or linkedin: what a canonical identifier is.';
comment on view analytics.customer_conversations is
'The conversations with messages that name a customer; order them by started_at.';
comment on view analytics.lead_conversations is
'The conversations with messages that name a lead; order them by started_at.';
comment on view analytics.lead_open_conversations is
'The open conversation of each lead, whether it has messages or not: at most one, which a unique index sees to.';
comment on column analytics.capture_state.table_oid is 'Its oid; null: there is none of that name.';
comment on table analytics.capture_state is
'The tables of app that are read, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.identity is
'What the catalog said of its files and triggers; where it says otherwise, everything is read again.';
comment on column analytics.capture_state.mode is
'captured: changes are logged; window: the last two days are read at each tick, the rest nightly.';
comment on column analytics.capture_state.is_wanted is 'Whether it is to be captured: convo-pipelines capture on, off.';
comment on column analytics.capture_state.is_settled is 'false: somebody held a lock on it; it is tried again.';
comment on column analytics.capture_state.changed_at is 'When this was last found out.';
comment on column analytics.project_conversations.conversation_id is 'The conversation; it has one project at most.';
comment on column analytics.project_conversations.added_at is
'When the conversation came to the project, as far as its own times tell: created_at where no tick saw it come, '
'else the updated_at that the tick found.';
comment on column analytics.project_conversations.added_by is
'The user the project belonged to when the link was written: not who made it. Null: that user is deleted.';
comment on view analytics.projects_this_week is 'Conversations that came to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.added_at is 'When it came to the project.';
comment on column analytics.projects_this_week.added_by is 'The user the project belonged to then.';
comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted: they get none again until new messages come.';
comment on column analytics.trim_state.trimmed_at is 'When it was found out.';
comment on column analytics.trim_state.trimmed_below is 'No log holds a row of an earlier transaction.';
comment on table analytics.histories_sessions is
'One row per crew, session and UTC day with messages: partial aggregates. Add the counts, take min and max of the '
'times.';
comment on column analytics.histories_sessions.session_id is 'The session, as the crew''s histories table names it.';
comment on column analytics.histories_sessions.message_count is
'Messages of any type, tool calls and unknown types included.';
comment on column analytics.histories_sessions.archived_at is
'When rows of it were deleted that were old already: since then it keeps what it counts; null: it follows its '
'source.';
comment on table analytics.conversation_days is
'What happened in each client''s conversation on each UTC day with anything: partial aggregates, for clients'' '
'days.';
comment on column analytics.conversation_days.activity_date is 'UTC day with a message, or on which it was closed.';
comment on column analytics.conversation_days.client_id is
'The client it belongs to; part of the key, so that a conversation that changes hands leaves one client''s day for '
'another''s.';
comment on column analytics.conversation_days.first_response_seconds is
'Seconds to the first answer, on the day of its first message; null: on any other, or not answered.';
comment on column analytics.conversation_days.is_started is 'Whether its first message is of that day.';
comment on table analytics.client_activity_daily is
'What happened in each client''s conversations on each UTC day: one row per client and day with anything.';
comment on table analytics.crew_activity_daily is
'What each crew did on each UTC day: one row per crew and day with messages.';
comment on column analytics.client_activity_daily.client_id is 'The client the conversations belong to.';
comment on column analytics.client_activity_daily.messages is 'Messages of that day, of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is
'Conversations whose first message is of that day.';
comment on column analytics.customer_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.customer_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.customer_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.customer_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_open_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_open_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_open_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_open_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_open_conversations.started_at is 'When it was started.';
comment on column analytics.lead_open_conversations.project_id is 'The project that it names.';
