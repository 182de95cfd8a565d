-- The logs are append-only and have no unique keys. They are trimmed by DELETE, which a publication of all tables must allow.
create table analytics.session_changes (
    table_oid oid not null,
    session_id text,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(),
    xids xid8[]
) with (vacuum_truncate = off);
create index session_changes_xid on analytics.session_changes (xid);
create index session_changes_deletions on analytics.session_changes (table_oid, xid)
where operation in ('delete', 'move', 'truncate');
create index session_changes_everything on analytics.session_changes (xid)
where operation in ('everything', 'truncate');
alter table analytics.session_changes replica identity full;

comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that each transaction wrote to. Internal.';
comment on column analytics.session_changes.table_oid is 'The histories table, or one of its partitions.';
comment on column analytics.session_changes.session_id is
'The session. With operation everything: start after this session of the day. Null: see operation. Personal data.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows. With operation everything: read from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update or delete; move: an update gave rows of it another session or day; everything: read the whole table '
'again; truncate: the same, and rows were deleted; unusable: rows without a session id or a time, which are left out.';
comment on column analytics.session_changes.xid is 'The transaction that changed it.';
comment on column analytics.session_changes.logged_at is 'When that transaction began.';
comment on column analytics.session_changes.xids is
'Of a retry: the transactions that wrote to the session; null: that of xid.';

create table analytics.conversation_changes (
    source text not null,
    conversation_id uuid,
    crew_id uuid,
    session_id text,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(),
    client_id uuid,
    activity_date date,
    snapshot pg_snapshot,
    xids xid8[]
) with (vacuum_truncate = off);
create index conversation_changes_xid on analytics.conversation_changes (xid);
create index conversation_changes_everything on analytics.conversation_changes (xid)
where conversation_id is null and crew_id is null;
create index conversation_changes_deletions on analytics.conversation_changes (xid)
where source = 'conversations' and operation in ('delete', 'update') and crew_id is not null;
create index conversation_changes_written on analytics.conversation_changes (xid) where xids is not null;
alter table analytics.conversation_changes replica identity full;

comment on table analytics.conversation_changes is
'Change log of conversations, their messages, and of tables derived from them. Internal.';
comment on column analytics.conversation_changes.source is
'The table whose row changed. "<table> retry": a key that a refresh of that table could not lock and left to its '
'next tick.';
comment on column analytics.conversation_changes.conversation_id is
'The conversation. Null with a crew_id or client_id: the row is about a session or a day; null without: '
'everything of the source.';
comment on column analytics.conversation_changes.crew_id is 'The crew, of a crew''s conversation, session or day.';
comment on column analytics.conversation_changes.session_id is
'The session, of a crew''s conversation or session. Personal data.';
comment on column analytics.conversation_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.conversation_changes.xid is 'The transaction that changed it.';
comment on column analytics.conversation_changes.logged_at is 'When that transaction began.';
comment on column analytics.conversation_changes.client_id is 'The client, of a client''s day.';
comment on column analytics.conversation_changes.activity_date is 'The UTC day of a session, crew or client.';
comment on column analytics.conversation_changes.snapshot is
'Of a crew''s conversation that was deleted or updated: what the transaction saw then.';
comment on column analytics.conversation_changes.xids is
'Of a session: the transactions that wrote its new messages; null: it has none. Of a deletion that is logged again: '
'the transaction that deleted the conversation.';

create table analytics.message_changes (
    message_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index message_changes_xid on analytics.message_changes (xid);
create index message_changes_everything on analytics.message_changes (xid) where message_id is null;
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
create index identifier_changes_everything on analytics.identifier_changes (xid) where id is null;
alter table analytics.identifier_changes replica identity full;

comment on table analytics.identifier_changes is
'Change log of people, contact methods, crews, clients, and of the persons that contact methods belong to. '
'Internal.';
comment on column analytics.identifier_changes.source is
'The table whose row changed. "<table> retry": a key that a refresh of that table could not lock and left to its '
'next tick.';
comment on column analytics.identifier_changes.id is
'The person, contact method, crew, client or decision; null: everything of the source.';
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
create index project_changes_everything on analytics.project_changes (xid) where project_id is null;
alter table analytics.project_changes replica identity full;

comment on table analytics.project_changes is 'Change log of the projects. Internal.';
comment on column analytics.project_changes.project_id is 'The project; null: everything.';
comment on column analytics.project_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.project_changes.xid is 'The transaction that changed it.';
comment on column analytics.project_changes.logged_at is 'When that transaction began.';

create or replace view analytics.changes as
select 'histories' as source, xid, logged_at, operation, operation in ('everything', 'truncate') as is_everything
from analytics.session_changes
union all
select source, xid, logged_at, operation, conversation_id is null and crew_id is null and client_id is null
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
comment on column analytics.changes.source is 'The table whose row changed; histories for all histories tables.';
comment on column analytics.changes.xid is 'The transaction that changed it.';
comment on column analytics.changes.logged_at is 'When that transaction began.';
comment on column analytics.changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.changes.is_everything is 'Whether everything of the source has to be read again.';
