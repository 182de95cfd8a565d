-- Forgets what the logs know; ticks read by times and ids again, from the start.
create or replace view analytics.client_activity_daily as
with counted as (
    select
        crew.client_id,
        day.activity_date,
        count(*) as sessions,
        sum(day.message_count) as messages,
        0 as conversations_started,
        0 as conversations_closed
    from analytics.histories_sessions as day
    inner join app.crews as crew on crew.id = day.crew_id
    group by crew.client_id, day.activity_date
    union all
    select
        conversation.client_id,
        (message.sent_at at time zone 'UTC')::date,
        0,
        count(*),
        0,
        0
    from app.messages as message
    inner join app.conversations as conversation on conversation.id = message.conversation_id
    where conversation.client_id is not null
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

comment on view analytics.client_activity_daily is
'What happened for each client on each UTC day: one row per client and day with anything.';
comment on column analytics.client_activity_daily.client_id is
'The client: of the crew for its sessions, else of the conversation.';
comment on column analytics.client_activity_daily.client_code is 'The client''s code.';
comment on column analytics.client_activity_daily.activity_date is 'UTC day.';
comment on column analytics.client_activity_daily.sessions is 'Crews'' sessions with a message on that day.';
comment on column analytics.client_activity_daily.messages is 'Messages of that day, of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is 'Conversations whose first message is of that day.';
comment on column analytics.client_activity_daily.conversations_closed is 'Conversations closed on that day.';
comment on column analytics.client_activity_daily.first_response_median_seconds is
'Median seconds to the first answer, of the conversations started on that day; null if none was answered.';
comment on column analytics.client_activity_daily.first_response_p90_seconds is
'90th percentile of the seconds to the first answer, of the conversations started on that day.';

comment on column analytics.crew_activity_daily.client_id is 'The crew''s client.';
comment on column analytics.busiest_crews.client_id is 'The crew''s client.';

drop view
    analytics.freshness, analytics.changes, analytics.conversation_owners, analytics.identifier_places;
drop function analytics.is_new;
drop table
    analytics.session_changes, analytics.conversation_changes, analytics.message_changes, analytics.identifier_changes,
    analytics.project_changes, analytics.trim_state, analytics.refresh_state, analytics.crew_discovery_state,
    analytics.deleted_conversations, analytics.identifiers;

drop index analytics.histories_sessions_archived;
alter table analytics.histories_sessions drop column archived_at;
create index histories_sessions_refreshed_at on analytics.histories_sessions (refreshed_at);
create index conversation_summaries_stale on analytics.conversation_summaries (conversation_id)
where refreshed_at = '-infinity';
create index participant_resolutions_resolved_at on analytics.participant_resolutions (resolved_at);
create index participant_resolutions_unresolved on analytics.participant_resolutions (status) where person_id is null;
create index session_resolutions_resolved_at on analytics.session_resolutions (resolved_at);
create index session_resolutions_unresolved on analytics.session_resolutions (candidate_count)
where person_id is null and candidate_count = 1;
create index people_conversations_updated_at on analytics.people_conversations (updated_at);
comment on column analytics.conversation_summaries.refreshed_at is
'Start of the transaction that last wrote this row; -infinity: stale, the next refresh recomputes it.';
comment on column analytics.conversation_summaries.client_id is 'The client the conversation belongs to.';
comment on table analytics.session_resolutions is
'Whom the session id of a crew''s conversation names, where it is an identifier: one row per such conversation.';
comment on column analytics.session_resolutions.person_id is 'The person, if exactly one of the crew''s client has it.';
comment on column analytics.session_resolutions.candidate_count is 'Persons of the crew''s client that have it.';

create table analytics.crew_discovery_state (
    crew_id uuid primary key references app.crews on delete cascade,
    histories_table_name text not null,
    watermark_id bigint not null default 0,
    pending_id bigint,
    pending_since timestamptz,
    archived_before date,
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_duration_ms bigint,
    sessions_scanned bigint not null default 0,
    conversations_created bigint not null default 0,
    last_session_count bigint not null default 0,
    consecutive_failures integer not null default 0,
    last_error text,
    last_warning text
);
comment on table analytics.crew_discovery_state is 'How far each crew''s histories table has been read, and how it went.';
comment on column analytics.crew_discovery_state.crew_id is 'The crew.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The table the watermark belongs to.';
comment on column analytics.crew_discovery_state.watermark_id is
'Every row of the histories table up to this id has been accounted for; 0 before the first.';
comment on column analytics.crew_discovery_state.pending_id is
'Largest id seen at pending_since: the next watermark, once no transaction that was open then is left.';
comment on column analytics.crew_discovery_state.pending_since is 'When pending_id was the largest id.';
comment on column analytics.crew_discovery_state.archived_before is
'Days before this one were pruned from the histories table; their rows in histories_sessions are kept.';
comment on column analytics.crew_discovery_state.last_run_at is 'Start of the last tick that worked on the crew.';
comment on column analytics.crew_discovery_state.last_success_at is 'End of the last tick that succeeded for the crew.';
comment on column analytics.crew_discovery_state.last_duration_ms is 'Milliseconds the last tick spent on the crew.';
comment on column analytics.crew_discovery_state.sessions_scanned is 'Session-days recomputed by all ticks so far.';
comment on column analytics.crew_discovery_state.conversations_created is 'Rows given to app.conversations so far.';
comment on column analytics.crew_discovery_state.last_session_count is 'Session-days recomputed by the last tick.';
comment on column analytics.crew_discovery_state.consecutive_failures is 'Failed ticks since the last success.';
comment on column analytics.crew_discovery_state.last_error is 'Why the last tick failed; null after a success.';
comment on column analytics.crew_discovery_state.last_warning is 'What the last tick wants somebody to look at.';

create table analytics.refresh_watermarks (
    asset_key text primary key,
    watermark timestamptz not null,
    fingerprint text not null,
    last_run_at timestamptz not null
);
comment on table analytics.refresh_watermarks is 'How far the assets that are not read per crew have been refreshed.';
comment on column analytics.refresh_watermarks.asset_key is 'The asset, named as its table.';
comment on column analytics.refresh_watermarks.watermark is
'Every source row whose updated_at or refreshed_at is earlier has been accounted for.';
comment on column analytics.refresh_watermarks.fingerprint is
'What the sources held from the watermark on when it was set: while it is the same, nothing is new.';
comment on column analytics.refresh_watermarks.last_run_at is 'When the watermark was last set.';

alter table analytics.crew_discovery_state add column pending_transactions text[];
alter table analytics.refresh_watermarks
add column pending_watermark timestamptz,
add column pending_transactions text[];

comment on column analytics.crew_discovery_state.pending_transactions is
'Transactions that were open at pending_since (virtualxid in pg_locks): pending_id waits for them to end.';
comment on column analytics.refresh_watermarks.pending_watermark is
'The next watermark, but for the lookback, once no transaction that was open then is left.';
comment on column analytics.refresh_watermarks.pending_transactions is
'Transactions that were open at pending_watermark (virtualxid in pg_locks).';

create table analytics.identifiers (
    place_id uuid not null,
    kind text not null check (kind in ('email', 'phone', 'linkedin', 'session')),
    value text not null,
    identifier text,
    person_id uuid references app.people on delete set null,
    contact_method_id uuid references app.contact_methods on delete set null,
    conversation_id uuid references app.conversations on delete set null,
    primary key (place_id, kind)
);
create index identifiers_identifier on analytics.identifiers (identifier);
create index identifiers_person_id on analytics.identifiers (person_id) where person_id is not null;
create index identifiers_contact_method_id on analytics.identifiers (contact_method_id)
where contact_method_id is not null;
create index identifiers_conversation_id on analytics.identifiers (conversation_id) where conversation_id is not null;
create index identifiers_deleted on analytics.identifiers (place_id)
where person_id is null and contact_method_id is null and conversation_id is null;

comment on table analytics.identifiers is
'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form.';
comment on column analytics.identifiers.place_id is
'The person, the contact method or the conversation; kept when that is deleted, until the next refresh has seen it.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';
comment on column analytics.identifiers.value is 'As the application spells it.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; null if value is none of these.';
comment on column analytics.identifiers.person_id is 'Set where it stands in a person''s own record.';
comment on column analytics.identifiers.contact_method_id is 'Set where it stands in a contact method.';
comment on column analytics.identifiers.conversation_id is 'Set where it is the session id of a crew''s conversation.';

create view analytics.identifier_places as
select
    person.id as place_id,
    given.kind,
    given.value,
    person.id as person_id,
    null::uuid as contact_method_id,
    null::uuid as conversation_id,
    person.updated_at as changed_at
from app.people as person
cross join lateral (
    values ('email', person.email), ('phone', person.phone), ('linkedin', person.linkedin_urn)
) as given (kind, value)
union all
select id, kind, value, null, id, null, updated_at
from app.contact_methods
union all
select id, 'session', session_id, null, null, id, updated_at
from app.conversations
where crew_id is not null and session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$';

comment on view analytics.identifier_places is
'What analytics.identifiers should hold of the application''s tables as they are now, not yet normalized.';
comment on column analytics.identifier_places.place_id is 'The person, the contact method or the conversation.';
comment on column analytics.identifier_places.kind is 'email, phone, linkedin or session.';
comment on column analytics.identifier_places.value is 'As the application spells it; null: the person has none.';
comment on column analytics.identifier_places.person_id is 'Set where it stands in a person''s own record.';
comment on column analytics.identifier_places.contact_method_id is 'Set where it stands in a contact method.';
comment on column analytics.identifier_places.conversation_id is 'Set where it is the session id of a crew''s conversation.';
comment on column analytics.identifier_places.changed_at is 'When the application last changed the row it stands in.';

create view analytics.conversation_changes as
select id as conversation_id, 'conversation' as source, id as source_id, updated_at as changed_at, false as is_activity
from app.conversations
union all
select id, 'conversation', id, started_at, true
from app.conversations
union all
select conversation_id, 'message', id, updated_at, false
from app.messages
union all
select conversation_id, 'message', id, sent_at, true
from app.messages
union all
select message.conversation_id, 'recipient', recipient.id, recipient.updated_at, false
from app.message_recipients as recipient
inner join app.messages as message on message.id = recipient.message_id
union all
select message.conversation_id, 'participant', resolution.contact_method_id, resolution.resolved_at, false
from analytics.participant_resolutions as resolution
inner join app.message_recipients as recipient on recipient.contact_method_id = resolution.contact_method_id
inner join app.messages as message on message.id = recipient.message_id
union all
select message.conversation_id, 'person', person.id, person.updated_at, false
from app.people as person
inner join analytics.participant_resolutions as resolution on resolution.person_id = person.id
inner join app.message_recipients as recipient on recipient.contact_method_id = resolution.contact_method_id
inner join app.messages as message on message.id = recipient.message_id
union all
select conversation_id, 'session', conversation_id, resolved_at, false
from analytics.session_resolutions
union all
select resolution.conversation_id, 'person', person.id, person.updated_at, false
from app.people as person
inner join analytics.session_resolutions as resolution on resolution.person_id = person.id
union all
select conversation.id, 'crew', crew.id, crew.updated_at, false
from app.crews as crew
inner join app.conversations as conversation on conversation.crew_id = crew.id;

comment on view analytics.conversation_changes is
'What changed when, by the conversation whose people or clients it may change. Read it by changed_at.';
comment on column analytics.conversation_changes.conversation_id is 'The conversation concerned.';
comment on column analytics.conversation_changes.source is
'What changed: conversation, message, recipient, participant, person, session or crew.';
comment on column analytics.conversation_changes.source_id is 'Key of what changed.';
comment on column analytics.conversation_changes.changed_at is 'When it was written; with is_activity, when it happened.';
comment on column analytics.conversation_changes.is_activity is
'Whether changed_at is the row''s own time (started, sent), by which backfills read it too.';
