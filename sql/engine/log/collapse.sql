-- Replaces logs with too many unread rows by "everything of every table".
-- in:  %(derived)s: the derived tables, which others follow
with sessions as (
    delete from analytics.session_changes where xid < pg_snapshot_xmin(pg_current_snapshot())
),

conversations as (
    delete from analytics.conversation_changes where xid < pg_snapshot_xmin(pg_current_snapshot())
),

messages as (
    delete from analytics.message_changes where xid < pg_snapshot_xmin(pg_current_snapshot())
),

identifiers as (
    delete from analytics.identifier_changes where xid < pg_snapshot_xmin(pg_current_snapshot())
),

projects as (
    delete from analytics.project_changes where xid < pg_snapshot_xmin(pg_current_snapshot())
),

every_session as (
    insert into analytics.session_changes (table_oid, operation)
    select
        member,
        'everything'
    from analytics.capture_state
    cross join lateral unnest(members) as member
),

every_conversation as (
    insert into analytics.conversation_changes (source, operation)
    select
        unnest(array['conversations', 'messages'] || %(derived)s::text[]),
        'everything'
),

every_recipient as (
    insert into analytics.message_changes (operation) values ('everything')
),

every_identifier as (
    insert into analytics.identifier_changes (source, operation)
    values ('people', 'everything'), ('contact_methods', 'everything'), ('crews', 'everything'), ('clients', 'everything'),
        ('users', 'everything')
)

insert into analytics.project_changes (operation) values ('everything');
