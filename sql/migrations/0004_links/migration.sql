-- Who is in which conversation: identifiers, resolutions and the link tables, and the views they are refreshed by.

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

create table analytics.participant_resolutions (
    contact_method_id uuid primary key references app.contact_methods on delete cascade,
    person_id uuid references app.people on delete set null,
    status text not null check (status in ('resolved', 'ambiguous', 'unmatched', 'invalid')),
    method text check (method in ('manual', 'email', 'phone', 'linkedin')),
    confidence numeric(3, 2),
    candidate_count bigint not null,
    resolved_at timestamptz not null default now()
);
create index participant_resolutions_person_id on analytics.participant_resolutions (person_id);
create index participant_resolutions_resolved_at on analytics.participant_resolutions (resolved_at);
create index participant_resolutions_unresolved on analytics.participant_resolutions (status) where person_id is null;

comment on table analytics.participant_resolutions is 'Whose each contact method is: one row per contact method.';
comment on column analytics.participant_resolutions.contact_method_id is 'The contact method in app.contact_methods.';
comment on column analytics.participant_resolutions.person_id is 'The person, if the status is resolved; else null.';
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several have this identifier; unmatched: nobody has; invalid: it is none.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; email, phone, linkedin: matched by that identifier; null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 manual, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons that have this identifier, in their own record or by a contact method the application gave them.';
comment on column analytics.participant_resolutions.resolved_at is 'When this row last changed.';

create table analytics.session_resolutions (
    conversation_id uuid primary key references app.conversations on delete cascade,
    person_id uuid references app.people on delete set null,
    candidate_count bigint not null,
    resolved_at timestamptz not null default now()
);
create index session_resolutions_person_id on analytics.session_resolutions (person_id);
create index session_resolutions_resolved_at on analytics.session_resolutions (resolved_at);
create index session_resolutions_unresolved on analytics.session_resolutions (candidate_count)
where person_id is null and candidate_count = 1;

comment on table analytics.session_resolutions is
'Whom the session id of a crew''s conversation names, where it is an identifier: one row per such conversation.';
comment on column analytics.session_resolutions.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.session_resolutions.person_id is 'The person, if exactly one of the crew''s client has it.';
comment on column analytics.session_resolutions.candidate_count is 'Persons of the crew''s client that have it.';
comment on column analytics.session_resolutions.resolved_at is 'When this row last changed.';

create table analytics.people_conversations (
    id uuid primary key default gen_random_uuid(),
    person_id uuid not null references app.people on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (person_id, conversation_id)
);
create index people_conversations_conversation_id on analytics.people_conversations (conversation_id);
create index people_conversations_updated_at on analytics.people_conversations (updated_at);

comment on table analytics.people_conversations is
'Who is in which conversation: a recipient of any of its messages, in any role, or the session id of a crew''s.';
comment on column analytics.people_conversations.id is 'Key of the link.';
comment on column analytics.people_conversations.person_id is 'The person in app.people.';
comment on column analytics.people_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.people_conversations.created_at is 'When the link was found.';
comment on column analytics.people_conversations.updated_at is 'When the link was last written; a right link is not.';

create table analytics.clients_conversations (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (client_id, conversation_id)
);
create index clients_conversations_conversation_id on analytics.clients_conversations (conversation_id);

comment on table analytics.clients_conversations is
'Whose people or crew are in which conversation.';
comment on column analytics.clients_conversations.id is 'Key of the link.';
comment on column analytics.clients_conversations.client_id is 'The client in app.clients.';
comment on column analytics.clients_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.clients_conversations.created_at is 'When the link was found.';
comment on column analytics.clients_conversations.updated_at is 'When the link was last written; a right link is not.';

create table analytics.project_conversations (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null unique references app.conversations on delete cascade,
    added_at timestamptz not null,
    added_by uuid references app.users on delete set null
);
create index project_conversations_project_id on analytics.project_conversations (project_id, added_at);
create index project_conversations_added_by on analytics.project_conversations (added_by);

comment on table analytics.project_conversations is
'The project of each conversation that names one, from app.conversations.project_id.';
comment on column analytics.project_conversations.id is 'Key of the link.';
comment on column analytics.project_conversations.project_id is 'The project in app.projects.';
comment on column analytics.project_conversations.conversation_id is 'The conversation; it has one project at most.';
comment on column analytics.project_conversations.added_at is
'When the conversation came to the project: its created_at where a backfill saw it first, else when it was changed.';
comment on column analytics.project_conversations.added_by is 'The user the project belonged to then.';

create table analytics.project_link_inconsistencies (
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null,
    kind text not null check (kind in ('stale_id', 'project_mismatch', 'missing_from_array')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    primary key (project_id, conversation_id, kind)
);
create index project_link_inconsistencies_conversation_id on analytics.project_link_inconsistencies (conversation_id);

comment on table analytics.project_link_inconsistencies is
'Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id, as of now.';
comment on column analytics.project_link_inconsistencies.project_id is 'The project with the array.';
comment on column analytics.project_link_inconsistencies.conversation_id is 'The conversation, which need not exist.';
comment on column analytics.project_link_inconsistencies.kind is
'stale_id: in the array, but there is no such conversation; project_mismatch: in the array, but the conversation names '
'another project or none; missing_from_array: the conversation names the project, the array lacks it.';
comment on column analytics.project_link_inconsistencies.first_seen_at is 'When a refresh first found it.';
comment on column analytics.project_link_inconsistencies.last_seen_at is 'When a refresh last looked and it was there.';

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

create view analytics.missing_app_indexes as
select
    table_name,
    column_name,
    format('create index concurrently on app.%I using %s (%I)', table_name, method, column_name) as run_this
from (
    values
    ('conversations', 'updated_at', 'btree'),
    ('conversations', 'started_at', 'btree'),
    ('messages', 'updated_at', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'updated_at', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('people', 'updated_at', 'btree'),
    ('contact_methods', 'updated_at', 'btree'),
    ('projects', 'updated_at', 'btree'),
    ('projects', 'conversation_ids', 'gin')
) as wanted (table_name, column_name, method)
where not exists (
    select from pg_index as i
    inner join pg_class as c on c.oid = i.indexrelid
    inner join pg_class as t on t.oid = i.indrelid
    inner join pg_namespace as n on n.oid = t.relnamespace
    inner join pg_am as am on am.oid = c.relam
    inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indisvalid
        and i.indpred is null
        and n.nspname = 'app'
        and t.relname = wanted.table_name
        and a.attname = wanted.column_name
        and am.amname = wanted.method
);

comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills read by, but that lead no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that helps.';
