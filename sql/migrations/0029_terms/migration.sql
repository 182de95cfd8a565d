-- Common names: notified, retry, unusable, source, from_snapshot and to_snapshot; and comments in plain words. Rows are kept, and
-- unread rows of the logs stay unread: an update leaves their xid as it is.
alter table analytics.alerts rename column told_at to notified_at;

update analytics.session_changes
set operation = 'unusable'
where operation = 'unplaced';
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
            else 'unusable'
        end
    from unnest(sessions, days) as changed (session_id, day);
    return null;
end
$$;

-- Only rows that this server wrote get this transaction's number: others show that the database was restored from elsewhere.
update analytics.conversation_changes
set source = replace(source, ' again', ' retry')
where source like '% again';
update analytics.identifier_changes
set source = replace(source, ' again', ' retry')
where source like '% again';
update analytics.refresh_state
set
    follows = array(
        select regexp_replace(entry, ' again$', ' retry')
        from unnest(follows) with ordinality as entries (entry, number)
        order by number
    ),
    written_by = case
        when mod(written_by::text::numeric, 4294967296) = xmin::text::numeric then pg_current_xact_id() else written_by
    end
where exists (
    select from unnest(follows) as entry
    where entry like '% again'
);

alter table analytics.identifiers rename column place to source;
alter table analytics.identifiers rename column place_id to source_id;
alter table analytics.identifiers rename constraint identifiers_place_check to identifiers_source_check;
do $$
begin  -- PostgreSQL 18 names these constraints
    if exists (
        select from pg_constraint
        where conrelid = 'analytics.identifiers'::regclass and conname = 'identifiers_place_not_null'
    ) then
        alter table analytics.identifiers rename constraint identifiers_place_not_null to identifiers_source_not_null;
        alter table analytics.identifiers rename constraint identifiers_place_id_not_null to identifiers_source_id_not_null;
    end if;
end
$$;
alter view analytics.identifier_places rename to identifier_sources;
alter view analytics.identifier_sources rename column place to source;
alter view analytics.identifier_sources rename column place_id to source_id;
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
    held.identifier,
    held.person_id,
    held.client_id,
    held.source = 'link' as is_decided
from analytics.identifiers as held
where held.person_id is not null and held.source <> 'never' and not exists (
    select from analytics.identifiers as never
    where never.identifier = held.identifier and never.source = 'never' and never.person_id = held.person_id
);

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
cross join lateral analytics.holder_of(
    case when held.person_id is null then held.identifier end, owner.client_id
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

-- A parameter is renamed by a new function: for that time the view does without it.
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
-- Not visible in a snapshot: PostgreSQL's own definition of "committed since". Both functions are inlined, so that the index on
-- xid can be used.
create function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

-- Committed after from_snapshot was taken, up to to_snapshot.
create function analytics.is_new(xid xid8, from_snapshot pg_snapshot, to_snapshot pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(from_snapshot) and not pg_visible_in_snapshot(xid, from_snapshot)
and pg_visible_in_snapshot(xid, to_snapshot);

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
'Derived by convo_pipelines from app and the crews'' histories tables. Can be dropped and rebuilt, except for '
'archived session-days and the record of deleted conversations.';
comment on schema curation is 'Decisions made by people. They cannot be computed again: back this schema up.';
comment on table curation.participant_decisions is
'Decisions that a contact method belongs to a person, or does not. A decision is revoked (set revoked_at), never '
'changed or deleted.';
comment on column curation.participant_decisions.id is 'Key of the decision.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods. The decision also applies to other contact methods with the same '
'identifier.';
comment on column curation.participant_decisions.decision is
'link: it belongs to the person, even if others match; never: it does not, even if it matches. What the '
'application sets takes precedence over both.';
comment on column curation.participant_decisions.reason is 'The reason for the decision.';
comment on column curation.participant_decisions.decided_by is 'The user who made the decision.';
comment on column curation.participant_decisions.decided_at is 'When the decision was made.';
comment on column curation.participant_decisions.revoked_by is
'The user who revoked the decision; null while it is in force.';
comment on column curation.participant_decisions.revoked_at is
'When the decision was revoked; null while it is in force.';
comment on table analytics.identifiers is
'E-mail addresses, phone numbers and LinkedIn profiles in canonical form, with the row that each was read from. '
'Internal.';
comment on column analytics.identifiers.source is
'The kind of row it was read from: person, contact_method or conversation; link or never: a decision about a '
'contact method.';
comment on column analytics.identifiers.source_id is
'The id of the person, contact method, crew''s conversation or decision.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of these.';
comment on column analytics.identifiers.value is 'The value as stored by the application.';
comment on column analytics.identifiers.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. The id of a contact method '
'whose value has no canonical form, so that a decision can refer to it; otherwise null.';
comment on column analytics.identifiers.person_id is
'The person that the row belongs to: the person''s own record, the person set in the contact method, or the person '
'of the decision.';
comment on view analytics.identifier_sources is
'The rows that analytics.identifiers should have according to the application''s tables, before values are put '
'into canonical form. Internal.';
comment on column analytics.identifier_sources.source is
'person, contact_method, conversation; link or never for a decision.';
comment on column analytics.identifier_sources.source_id is
'The id of the person, contact method, crew''s conversation or decision.';
comment on column analytics.identifier_sources.value is 'The value as stored by the application.';
comment on column analytics.identifier_sources.otherwise is
'The identifier to store if the value has no canonical form.';
comment on column analytics.identifier_sources.person_id is
'The person it belongs to, if the application or a decision says so.';
comment on view analytics.identifier_holders is
'The persons who have each identifier: in their own record, in a contact method that the application assigned to '
'them, or by decision. Persons excluded by a decision are left out.';
comment on column analytics.identifier_holders.identifier is
'Canonical form: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact '
'method without one.';
comment on column analytics.identifier_holders.is_decided is 'Whether a decision assigned it.';
comment on table analytics.webhook_refreshes is
'What the webhook did to each table, written once a minute. Rows are deleted after a week.';
comment on column analytics.webhook_refreshes.id is 'Increases with each row.';
comment on column analytics.webhook_refreshes.sessions is 'Sessions that were requested.';
comment on column analytics.webhook_refreshes.noted_at is 'When the row was written.';
comment on table analytics.participant_resolutions is
'The person that each contact method belongs to: one row per contact method.';
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
comment on view analytics.unknown_senders is
'Contact methods that send messages and are not resolved to one person, with the number of their messages.';
comment on table analytics.catalog_state is 'When the catalog was last compared table by table: one row. Internal.';
comment on column analytics.catalog_state.fingerprint is
'Fingerprint of the tables, partitions, triggers, crews and clients at that time; null: compare at the next tick.';
comment on column analytics.catalog_state.seen_at is 'When the catalog was compared.';
comment on table analytics.alerts is
'Problems found, and whether a notification about each was delivered. A row is deleted once its end has been '
'notified.';
comment on column analytics.alerts.source is 'Where the problem was found: health, runs or checks.';
comment on column analytics.alerts.kind is 'The kind of problem.';
comment on column analytics.alerts.subject is 'The table, crew, job or check concerned.';
comment on column analytics.alerts.found is 'The measured value or count.';
comment on column analytics.alerts.link is 'Link to the UI; null if DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.since is 'When the problem began.';
comment on column analytics.alerts.ended_at is 'When the problem ended; null while it lasts.';
comment on column analytics.alerts.notified_at is 'When the last notification about it was delivered; null: none yet.';
comment on column analytics.alerts.failed_deliveries is 'Consecutive failed deliveries.';
comment on column analytics.project_link_inconsistencies.conversation_id is 'The conversation; it may not exist.';
comment on column analytics.project_link_inconsistencies.kind is
'stale_id: the array names a conversation that does not exist; project_mismatch: the conversation in the array '
'names another project or none; missing_from_array: the conversation names the project, but the array does not '
'contain it.';
comment on column analytics.project_link_inconsistencies.first_seen_at is
'When a refresh first found the inconsistency.';
comment on column analytics.project_link_inconsistencies.last_seen_at is 'When a refresh last found the inconsistency.';
comment on column analytics.project_link_inconsistencies.named_project_id is
'The project that the conversation names; null if it names none or does not exist.';
comment on table analytics.oddities is
'Rows of the application that are left out, or not read as written, by table, crew and kind. Ticks add the rows '
'they find; the nightly reconcile counts all of them and deletes entries that no longer apply.';
comment on column analytics.oddities.asset_key is 'The derived table whose refresh found them.';
comment on column analytics.oddities.crew_id is 'The crew; null if the table is not refreshed per crew.';
comment on column analytics.oddities.kind is 'What is wrong with the rows.';
comment on column analytics.oddities.rows is 'Number of rows: exact after a reconcile, a lower bound afterwards.';
comment on column analytics.oddities.example is 'The key of one of the rows.';
comment on column analytics.oddities.remedy is 'How to correct the rows.';
comment on column analytics.oddities.first_seen_at is 'When such a row was first found.';
comment on column analytics.oddities.last_seen_at is 'When such a row was last found.';
comment on view analytics.client_names is 'Names of clients.';
comment on column analytics.client_names.client_code is 'The client''s code.';
comment on column analytics.client_names.client_name is 'The client''s name.';
comment on column analytics.client_names.is_active is 'Whether the client''s crews are refreshed.';
comment on view analytics.crew_names is 'Names of crews.';
comment on column analytics.crew_names.crew_code is 'The crew''s code.';
comment on column analytics.crew_names.crew_name is 'The crew''s name.';
comment on column analytics.crew_names.client_id is 'The crew''s current client.';
comment on column analytics.crew_names.is_active is 'Whether the crew is refreshed.';
comment on view analytics.project_names is 'Names of projects.';
comment on column analytics.project_names.project_name is 'The project''s name.';
comment on column analytics.project_names.user_id is 'The user the project belongs to.';
comment on view analytics.person_names is 'Names and addresses of persons. Personal data.';
comment on view analytics.contact_method_values is 'Values of contact methods. Personal data.';
comment on column analytics.contact_method_values.value is
'The address, number or profile as stored by the application.';
comment on column analytics.contact_method_values.person_id is
'The person set by the application; see participant_resolutions for resolved persons.';
comment on column analytics.busiest_crews.client_id is 'The crew''s current client.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s current client.';
comment on view analytics.busiest_crews is
'The crews with most messages in the last 30 UTC days and today, in that order.';
comment on column analytics.busiest_crews.place is 'Rank by messages, from 1; crews with equal counts share a rank.';
comment on column analytics.changes.is_everything is 'Whether everything of the source has to be read again.';
comment on column analytics.changes.source is 'The table whose row changed; histories for all histories tables.';
comment on column analytics.conversation_changes.conversation_id is
'The conversation. Null with a crew_id or client_id: the row is about a session or a day; null without: '
'everything of the source.';
comment on column analytics.conversation_changes.source is
'The table whose row changed. "<table> retry": a key that a refresh of that table could not lock and left to its '
'next tick.';
comment on column analytics.identifier_changes.source is
'The table whose row changed. "<table> retry": a key that a refresh of that table could not lock and left to its '
'next tick.';
comment on table analytics.identifier_changes is
'Change log of people, contact methods, crews, clients, and of the persons that contact methods belong to. '
'Internal.';
comment on column analytics.conversation_owners.client_id is 'Its client; null if it names none and has no crew.';
comment on view analytics.conversation_owners is
'The client that each conversation belongs to: the client it names, or the client of its crew if it names none.';
comment on column analytics.conversation_people.confidence is 'Confidence of the match, from 0 to 1.';
comment on column analytics.conversation_people.contact_method_id is
'The recipient''s contact method; null if the session id names the person.';
comment on column analytics.conversation_people.via is 'recipient or session: what names the person.';
comment on column analytics.conversation_people.method is
'manual: set by the application; decision: set by a decision; email, phone, linkedin: the identifier that '
'matched.';
comment on column analytics.conversation_people.is_narrowed is
'Whether persons of other clients have the identifier too, so that only the conversation''s client makes the match '
'unique.';
comment on view analytics.conversation_people is
'The persons in each conversation, and why: one of their contact methods is a recipient of a message, in any '
'role, or the session id names them. Decisions and matches never link a conversation of one client to a person of '
'another client; assignments by the application do. Filter by conversation: without a filter it reads every '
'message.';
comment on column analytics.conversation_summaries.client_id is
'The client that the conversation belongs to: the client it names, or its crew''s.';
comment on column analytics.conversation_summaries.participant_count is
'Distinct contact methods among the recipients (from, to, cc, bcc). For a session: 2 if both human and ai wrote, '
'1 if one of them did.';
comment on column analytics.conversation_summaries.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.conversation_summaries.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.conversation_summaries.source is
'Where the messages are stored: histories (the crew''s histories table) or messages (app.messages).';
comment on table analytics.conversation_summaries is
'One row per conversation with messages, whether in a histories table or in app.messages.';
comment on view analytics.conversations_per_project is 'Number of conversations of each project that has any.';
comment on column analytics.conversations_per_project.conversations is 'Conversations that name the project.';
comment on column analytics.crew_discovery_state.client_id is 'The crew''s client at the last run.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The histories table of the last run.';
comment on column analytics.crew_discovery_state.conversations_created is
'Rows inserted into app.conversations so far.';
comment on column analytics.crew_discovery_state.is_discovered is
'Whether the crew and its client were active at the last run. A crew that is activated again is read from the '
'start.';
comment on column analytics.crew_discovery_state.last_warning is
'A problem that the last run found and that needs attention.';
comment on column analytics.crew_discovery_state.mode is
'captured: changes are logged by triggers; window: each tick reads the last two days, the nightly reconcile the '
'rest.';
comment on table analytics.crew_discovery_state is 'State of each crew''s discovery: last run, errors and counts.';
comment on column analytics.freshness.as_of is
'Everything committed before this time is included, as far as the tables it is derived from include it; null: not '
'built yet.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last succeeded.';
comment on column analytics.freshness.waiting_since is
'When the oldest of these changes was made; null if there are none.';
comment on view analytics.freshness is 'How up to date each table is: everything committed before as_of is included.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that creates the index.';
comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills filter by and that have no valid index.';
comment on column analytics.people_conversations.updated_at is
'When the link was last written; unchanged links are not written.';
comment on column analytics.clients_conversations.updated_at is
'When the link was last written; unchanged links are not written.';
comment on table analytics.people_conversations is
'The persons in each conversation: recipients of any of its messages, in any role, and persons named by a session '
'id.';
comment on table analytics.clients_conversations is 'The clients whose persons or crew take part in each conversation.';
comment on column analytics.clients_conversations.channel is 'The conversation''s channel.';
comment on column analytics.clients_conversations.crew_id is 'The conversation''s crew, if it is a crew''s session.';
comment on column analytics.clients_conversations.started_at is 'When the conversation started.';
comment on column analytics.clients_conversations.closed_at is
'When the conversation was closed; null while it is open.';
comment on view analytics.conversation_clients is
'The clients of each conversation, and why: one of their persons takes part, or it is a session of their crew.';
comment on column analytics.conversation_clients.via is 'person or crew: what links the client.';
comment on column analytics.conversation_clients.person_id is 'The person; null if the crew links the client.';
comment on view analytics.person_timeline is 'The conversations of each person; order by started_at.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark when the first build has succeeded. Logs are kept from it on.';
comment on column analytics.refresh_state.follows is
'The log sources it reads; "conversations delete": only that operation.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last succeeded.';
comment on column analytics.refresh_state.lease_holder is
'The process that is running a tick of the table; null if none is.';
comment on column analytics.refresh_state.lease_until is 'When the lease expires unless it is renewed.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in this snapshot has been processed; null until the table is built.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row. If it differs from the row''s xmin, the row was restored from another '
'server.';
comment on table analytics.refresh_state is 'How far each derived table has read the change logs.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows. With operation everything: read from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update or delete; everything: read the whole table again; truncate: the same, and rows were deleted; '
'unusable: rows without a session id or a time, which are left out.';
comment on column analytics.session_changes.session_id is
'The session. With operation everything: start after this session of the day. Null: see operation.';
comment on column analytics.session_changes.table_oid is 'The histories table, or one of its partitions.';
comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that each transaction wrote to. Internal.';
comment on function analytics.confidence_of(method text) is
'Confidence of a method: 1.00 if set by the application or by a decision, less if an identifier matched.';
comment on function analytics.holder_of(wanted text, client uuid) is
'The person that an identifier names among the persons of a client (null: all persons): the one set by a '
'decision, otherwise the only one who has it; and the number of candidates.';
comment on function analytics.kind_of(identifier text) is
'The kind of a canonical identifier: email, phone or linkedin.';
comment on view analytics.customer_conversations is
'Conversations with messages that name a customer; order by started_at.';
comment on view analytics.lead_conversations is 'Conversations with messages that name a lead; order by started_at.';
comment on view analytics.lead_open_conversations is
'The open conversation of each lead, with or without messages. A unique index allows one per lead.';
comment on column analytics.capture_state.table_oid is 'Its oid; null if there is no table of that name.';
comment on table analytics.capture_state is
'The tables of app that the pipeline reads, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.identity is
'What the catalog said about its files and triggers. If it changes, the whole table is read again.';
comment on column analytics.capture_state.mode is
'captured: changes are logged by triggers; window: each tick reads the last two days, the nightly reconcile the '
'rest.';
comment on column analytics.capture_state.is_wanted is
'Whether it should be captured; set by convo-pipelines capture on and off.';
comment on column analytics.capture_state.is_settled is
'false: the table was locked by another session; capturing is retried.';
comment on column analytics.capture_state.changed_at is 'When this row last changed.';
comment on column analytics.project_conversations.conversation_id is 'The conversation, which has at most one project.';
comment on column analytics.project_conversations.added_at is
'When the conversation was added to the project: the conversation''s created_at, or its updated_at if a tick saw '
'it join the project later.';
comment on column analytics.project_conversations.added_by is
'The user the project belonged to when the link was written; not necessarily the user who added it. Null if that '
'user was deleted.';
comment on view analytics.projects_this_week is 'Conversations added to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.added_at is 'When it was added to the project.';
comment on column analytics.projects_this_week.added_by is 'The user the project belonged to at that time.';
comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted. No conversation is created for them until new messages '
'arrive.';
comment on column analytics.trim_state.trimmed_at is 'When the logs were trimmed.';
comment on column analytics.trim_state.trimmed_below is 'No log contains rows of transactions before this one.';
comment on table analytics.histories_sessions is
'One row per crew, session and UTC day with messages: partial aggregates. Add up the counts; take the minimum and '
'maximum of the times.';
comment on column analytics.histories_sessions.session_id is
'The session id, as stored in the crew''s histories table.';
comment on column analytics.histories_sessions.message_count is
'Messages of any type, including tool calls and unknown types.';
comment on column analytics.histories_sessions.archived_at is
'When old rows of this session-day were deleted from the source. Since then it keeps its counts; null: it follows '
'its source.';
comment on table analytics.conversation_days is
'What happened in each conversation on each UTC day: partial aggregates for client_activity_daily.';
comment on column analytics.conversation_days.activity_date is
'UTC day with a message, or on which the conversation was closed.';
comment on column analytics.conversation_days.client_id is
'The client that the conversation belongs to. Part of the key, so that a conversation that moves to another '
'client gets a new row.';
comment on column analytics.conversation_days.first_response_seconds is
'Seconds to the first answer, on the day of the first message; null on other days, and if not answered.';
comment on column analytics.conversation_days.is_started is 'Whether its first message was sent on that day.';
comment on table analytics.client_activity_daily is
'Activity of each client''s conversations by UTC day: one row per client and day with activity.';
comment on table analytics.crew_activity_daily is
'Activity of each crew by UTC day: one row per crew and day with messages.';
comment on column analytics.client_activity_daily.client_id is 'The client that the conversations belong to.';
comment on column analytics.client_activity_daily.messages is 'Messages on that day: of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is
'Conversations whose first message was sent on that day.';
comment on column analytics.customer_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.customer_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.customer_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.customer_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.lead_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.lead_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.lead_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.lead_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.lead_open_conversations.client_id is 'The client that the conversation belongs to.';
comment on column analytics.lead_open_conversations.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.lead_open_conversations.inbound_count is
'Inbound messages; for a session, messages of type human.';
comment on column analytics.lead_open_conversations.outbound_count is
'Outbound messages; for a session, messages of type ai.';
comment on column analytics.lead_open_conversations.started_at is 'When the conversation started.';
comment on column analytics.lead_open_conversations.project_id is 'The project that the conversation names.';
