-- What changed is written down by the transaction that changes it, and read by snapshots: the change logs, how far each
-- table has read them, and what the tables of before knew of times and ids goes.

-- The logs: append-only, without unique keys; trimmed by delete, which a publication of all tables must allow.
create table analytics.session_changes (
    table_oid oid not null,
    session_id text,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index session_changes_xid on analytics.session_changes (xid);
alter table analytics.session_changes replica identity full;

comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that a transaction wrote to. Internal.';
comment on column analytics.session_changes.table_oid is 'The histories table, or the partition of one.';
comment on column analytics.session_changes.session_id is 'The session; null: see operation.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows; with operation everything: from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update, delete; everything: read the whole table again; truncate: that, and rows are gone; unplaced: rows without '
'a session or a time, which are left out.';
comment on column analytics.session_changes.xid is 'The transaction that changed it.';
comment on column analytics.session_changes.logged_at is 'When that transaction began.';

drop view analytics.conversation_changes;

create table analytics.conversation_changes (
    source text not null,
    conversation_id uuid,
    crew_id uuid,
    session_id text,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index conversation_changes_xid on analytics.conversation_changes (xid);
alter table analytics.conversation_changes replica identity full;

comment on table analytics.conversation_changes is
'Change log of conversations, their messages, and of tables derived from them. Internal.';
comment on column analytics.conversation_changes.source is 'The table whose row changed.';
comment on column analytics.conversation_changes.conversation_id is
'The conversation; null with a crew_id: that of a session; null without: everything of the source.';
comment on column analytics.conversation_changes.crew_id is 'The crew, of a crew''s conversation or session.';
comment on column analytics.conversation_changes.session_id is 'The session, of a crew''s conversation or session.';
comment on column analytics.conversation_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.conversation_changes.xid is 'The transaction that changed it.';
comment on column analytics.conversation_changes.logged_at is 'When that transaction began.';

create table analytics.message_changes (
    message_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index message_changes_xid on analytics.message_changes (xid);
alter table analytics.message_changes replica identity full;

comment on table analytics.message_changes is 'Change log of the messages'' recipients. Internal.';
comment on column analytics.message_changes.message_id is 'The message; null: everything.';
comment on column analytics.message_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.message_changes.xid is 'The transaction that changed it.';
comment on column analytics.message_changes.logged_at is 'When that transaction began.';

create table analytics.identifier_changes (
    source text not null,
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index identifier_changes_xid on analytics.identifier_changes (xid);
alter table analytics.identifier_changes replica identity full;

comment on table analytics.identifier_changes is
'Change log of people, contact methods, crews, clients, and of whose each contact method is. Internal.';
comment on column analytics.identifier_changes.source is 'The table whose row changed.';
comment on column analytics.identifier_changes.id is
'The person, contact method, crew or client; null: everything of the source.';
comment on column analytics.identifier_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.identifier_changes.xid is 'The transaction that changed it.';
comment on column analytics.identifier_changes.logged_at is 'When that transaction began.';

create table analytics.project_changes (
    project_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index project_changes_xid on analytics.project_changes (xid);
alter table analytics.project_changes replica identity full;

comment on table analytics.project_changes is 'Change log of the projects. Internal.';
comment on column analytics.project_changes.project_id is 'The project; null: everything.';
comment on column analytics.project_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.project_changes.xid is 'The transaction that changed it.';
comment on column analytics.project_changes.logged_at is 'When that transaction began.';

-- Committed since `seen` was taken, up to `taken`: PostgreSQL's own definition. Inlined, so that the index on xid serves.
create function analytics.is_new(xid xid8, seen pg_snapshot, taken pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(seen) and not pg_visible_in_snapshot(xid, seen) and pg_visible_in_snapshot(xid, taken);

create view analytics.changes as
select 'histories' as source, xid, logged_at, operation, operation in ('everything', 'truncate') as is_everything
from analytics.session_changes
union all
select source, xid, logged_at, operation, conversation_id is null and crew_id is null
from analytics.conversation_changes
union all
select 'message_recipients', xid, logged_at, operation, message_id is null
from analytics.message_changes
union all
select source, xid, logged_at, operation, id is null
from analytics.identifier_changes
union all
select 'projects', xid, logged_at, operation, project_id is null
from analytics.project_changes;

comment on view analytics.changes is 'All change logs together. Internal.';
comment on column analytics.changes.source is 'The table whose row changed; histories: any histories table.';
comment on column analytics.changes.xid is 'The transaction that changed it.';
comment on column analytics.changes.logged_at is 'When that transaction began.';
comment on column analytics.changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.changes.is_everything is 'Whether everything of the source is to be read again.';

-- How far each table has read the logs.
drop table analytics.refresh_watermarks;

create table analytics.refresh_state (
    asset_key text primary key,
    follows text[] not null,
    snapshot pg_snapshot,
    snapshot_at timestamptz,
    building pg_snapshot,
    building_at timestamptz,
    written_by xid8 not null default pg_current_xact_id(),
    lease_holder text,
    lease_until timestamptz,
    last_run_at timestamptz,
    last_success_at timestamptz
);
comment on table analytics.refresh_state is 'How far each derived table has accounted for the change logs.';
comment on column analytics.refresh_state.asset_key is 'The table.';
comment on column analytics.refresh_state.follows is
'The tables whose changes it reads, or of which only some operations: conversations delete.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in it has been accounted for; null until the table has been built.';
comment on column analytics.refresh_state.snapshot_at is 'When the snapshot was taken.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark once the first build has ended; logs are kept from it on.';
comment on column analytics.refresh_state.building_at is 'When that snapshot was taken.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row; where it is not the row''s own xmin, the row was restored from another server.';
comment on column analytics.refresh_state.lease_holder is 'Who is at work on a tick of the table; null: nobody.';
comment on column analytics.refresh_state.lease_until is 'Until when, unless renewed: a dead holder''s lease ends by itself.';
comment on column analytics.refresh_state.last_run_at is 'When the last tick began.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last ended well.';

create view analytics.freshness as
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

comment on view analytics.freshness is 'As of when each table is right: everything committed before as_of is in it.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before is accounted for, as far as the tables it is derived from have it; null: not built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is 'When the oldest of them was made; null: none waits.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last ended well.';

-- How far the logs have been trimmed.
create table analytics.trim_state (
    is_the_one boolean primary key default true check (is_the_one),
    trimmed_below xid8 not null,
    trimmed_at timestamptz not null default now()
);
insert into analytics.trim_state (trimmed_below) values ('0');

comment on table analytics.trim_state is 'How far the change logs have been trimmed: one row. Internal.';
comment on column analytics.trim_state.is_the_one is 'Always true.';
comment on column analytics.trim_state.trimmed_below is 'No log holds a row of an earlier transaction.';
comment on column analytics.trim_state.trimmed_at is 'When it was found out.';

-- Crews: what ids and times told is gone, but for the days that are archive already.
alter table analytics.histories_sessions add column archived_at timestamptz;
update analytics.histories_sessions as day
set archived_at = now()
from analytics.crew_discovery_state as state
where state.crew_id = day.crew_id and day.activity_date < state.archived_before;

drop table analytics.crew_discovery_state;

create table analytics.crew_discovery_state (
    crew_id uuid primary key references app.crews on delete cascade,
    histories_table_name text not null,
    is_discovered boolean not null default true,
    mode text not null default 'captured' check (mode in ('captured', 'window')),
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_duration_ms bigint,
    sessions_scanned bigint not null default 0,
    conversations_created bigint not null default 0,
    consecutive_failures integer not null default 0,
    last_error text,
    last_warning text
);
comment on table analytics.crew_discovery_state is 'How each crew''s discovery fares.';
comment on column analytics.crew_discovery_state.crew_id is 'The crew.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The table it was last read from.';
comment on column analytics.crew_discovery_state.is_discovered is
'Whether it and its client were active at the last look; switched on again, it is read from the start.';
comment on column analytics.crew_discovery_state.mode is
'captured: its changes are logged; window: the last two days at each tick, the rest nightly.';
comment on column analytics.crew_discovery_state.last_run_at is 'Start of the last run that worked on the crew.';
comment on column analytics.crew_discovery_state.last_success_at is 'End of the last run that succeeded for the crew.';
comment on column analytics.crew_discovery_state.last_duration_ms is 'Milliseconds the last run spent on the crew.';
comment on column analytics.crew_discovery_state.sessions_scanned is 'Session-days recomputed so far.';
comment on column analytics.crew_discovery_state.conversations_created is 'Rows given to app.conversations so far.';
comment on column analytics.crew_discovery_state.consecutive_failures is 'Failed runs since the last success.';
comment on column analytics.crew_discovery_state.last_error is 'Why the last run failed; null after a success.';
comment on column analytics.crew_discovery_state.last_warning is 'What the last run wants somebody to look at.';

-- What the sources no longer hold.
create index histories_sessions_archived on analytics.histories_sessions (crew_id, activity_date)
where archived_at is not null;
drop index analytics.histories_sessions_refreshed_at;
comment on column analytics.histories_sessions.archived_at is
'When rows of it were deleted that were old already: since then it keeps what it counts; null: it follows its source.';

create table analytics.deleted_conversations (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    deleted_at timestamptz not null,
    primary key (crew_id, session_id)
);
comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted: they get none again until new messages come.';
comment on column analytics.deleted_conversations.crew_id is 'The crew.';
comment on column analytics.deleted_conversations.session_id is 'The session.';
comment on column analytics.deleted_conversations.deleted_at is 'When the conversation was deleted.';

-- Summaries and links: nothing is stale or found by time.
drop index analytics.conversation_summaries_stale;
drop index analytics.participant_resolutions_resolved_at;
drop index analytics.participant_resolutions_unresolved;
drop index analytics.session_resolutions_resolved_at;
drop index analytics.session_resolutions_unresolved;
drop index analytics.people_conversations_updated_at;
comment on column analytics.conversation_summaries.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.conversation_summaries.client_id is
'The client the conversation belongs to: the one it names, else its crew''s.';
comment on table analytics.session_resolutions is
'Whom the session id of a crew''s conversation names, where it is an identifier: one row per such conversation.';
comment on column analytics.session_resolutions.person_id is
'The person, if exactly one of the conversation''s client has it.';
comment on column analytics.session_resolutions.candidate_count is 'Persons of the conversation''s client that have it.';

create view analytics.conversation_owners as
select
    conversation.id as conversation_id,
    coalesce(conversation.client_id, crew.client_id) as client_id
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id;

comment on view analytics.conversation_owners is
'Whose conversation it is: the client it names; only where it names none, the client of its crew.';
comment on column analytics.conversation_owners.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_owners.client_id is 'Its client; null: it names none and has no crew.';

-- Identifiers: what each place held when it was last looked at, so that old and new can be compared.
drop table analytics.identifiers;
drop view analytics.identifier_places;

create table analytics.identifiers (
    place text not null check (place in ('person', 'contact_method', 'conversation')),
    place_id uuid not null,
    kind text not null check (kind in ('email', 'phone', 'linkedin', 'session')),
    value text not null,
    identifier text,
    person_id uuid,
    primary key (place_id, place, kind)
);
create index identifiers_identifier on analytics.identifiers (identifier);

comment on table analytics.identifiers is
'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form. Internal.';
comment on column analytics.identifiers.place is 'Where it stands: person, contact_method or conversation.';
comment on column analytics.identifiers.place_id is 'The person, the contact method or the crew''s conversation.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';
comment on column analytics.identifiers.value is 'As the application spells it.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; null if value is none of these.';
comment on column analytics.identifiers.person_id is
'Who has it: the person of the record, or to whom the application gave the contact method; null: nobody for certain.';

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

-- A crew that moves to another client takes its future sessions along, never its past.
create or replace view analytics.client_activity_daily as
with counted as (
    select
        coalesce(owner.client_id, crew.client_id) as client_id,
        day.activity_date,
        count(*) as sessions,
        sum(day.message_count) as messages,
        0 as conversations_started,
        0 as conversations_closed
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
    left join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    group by 1, 2
    union all
    select
        owner.client_id,
        (message.sent_at at time zone 'UTC')::date,
        0,
        count(*),
        0,
        0
    from app.messages as message
    inner join analytics.conversation_owners as owner on owner.conversation_id = message.conversation_id
    where owner.client_id is not null
    group by 1, 2
    union all
    select client_id, (started_at at time zone 'UTC')::date, 0, 0, count(*), 0
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
    union all
    select client_id, (closed_at at time zone 'UTC')::date, 0, 0, 0, count(*)
    from analytics.conversation_summaries
    where client_id is not null and closed_at is not null
    group by 1, 2
),

responses as (
    select
        client_id,
        (started_at at time zone 'UTC')::date as activity_date,
        percentile_cont(0.5) within group (order by first_response_seconds) as first_response_median_seconds,
        percentile_cont(0.9) within group (order by first_response_seconds) as first_response_p90_seconds
    from analytics.conversation_summaries
    where client_id is not null
    group by 1, 2
)

select
    counted.client_id,
    client.client_code,
    counted.activity_date,
    sum(counted.sessions)::bigint as sessions,
    sum(counted.messages)::bigint as messages,
    sum(counted.conversations_started)::bigint as conversations_started,
    sum(counted.conversations_closed)::bigint as conversations_closed,
    responses.first_response_median_seconds,
    responses.first_response_p90_seconds
from counted
inner join app.clients as client on client.id = counted.client_id
left join responses
    on responses.client_id = counted.client_id and responses.activity_date = counted.activity_date
group by
    counted.client_id, client.client_code, counted.activity_date, responses.first_response_median_seconds,
    responses.first_response_p90_seconds;

comment on column analytics.client_activity_daily.client_id is 'The client the conversations belong to.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s client now.';
comment on column analytics.busiest_crews.client_id is 'The crew''s client now.';

-- Where the roles exist already, convo_pipeline owns what is new.
do $$
declare
    relation record;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        for relation in
            select oid::regclass as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
            where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
        loop
            execute format('alter %s %s owner to convo_pipeline', relation.kind, relation.name);
        end loop;
    end if;
end
$$;
