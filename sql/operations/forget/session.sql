-- Deletes a session of a crew from analytics; from the logs, what every table has read that follows it. logged_session.sql does
-- so to the log of sessions.
-- in:  %(crew_id)s, %(session_id)s: null for all sessions of the crew
-- out: one row: session_days, summaries, links
with conversations as (
    select conversation_id as id from analytics.conversation_summaries
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
    union
    select id from app.conversations
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
    union
    select id from analytics.conversations_changes
    where id is not null and crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
),

days as (
    delete from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
    returning activity_date
),

crew_days as (
    insert into analytics.crew_activity_daily_changes (crew_id, activity_date, operation)
    select distinct
        %(crew_id)s::uuid,
        activity_date,
        'retry'
    from days
),

summaries as (
    delete from analytics.conversation_summaries
    where conversation_id in (select id from conversations)
    returning 1
),

conversation_days as (
    delete from analytics.conversation_days
    where conversation_id in (select id from conversations)
    returning client_id, activity_date
),

client_days as (
    insert into analytics.client_activity_daily_changes (client_id, activity_date, operation)
    select distinct
        client_id,
        activity_date,
        'retry'
    from conversation_days
),

people as (
    delete from analytics.people_conversations
    where conversation_id in (select id from conversations)
    returning 1
),

clients as (
    delete from analytics.clients_conversations
    where conversation_id in (select id from conversations)
    returning 1
),

identifiers as (
    delete from analytics.identifiers
    where source = 'conversation' and source_id in (select id from conversations)
),

assignments as (
    delete from curation.project_assignments
    where conversation_id in (select id from conversations)
),

deleted as (
    delete from analytics.deleted_conversations
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
),

refused as (
    delete from analytics.refused_conversations
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
),

moved as (
    delete from analytics.unjudged_moves
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or session_id = %(session_id)s)
),

odd as (
    delete from analytics.oddities
    where crew_id = %(crew_id)s::uuid and (%(session_id)s::text is null or example = %(session_id)s)
),

logged_days as (
    delete from analytics.session_changes
    using analytics.crew_discovery_state as state
    inner join analytics.capture_state as source on source.table_name = state.histories_table_name
    where state.crew_id = %(crew_id)s::uuid
        and session_changes.table_oid = any(source.members)
        and session_changes.session_id is not null
        and (%(session_id)s::text is null or session_changes.session_id = %(session_id)s)
        and not exists (
            select from analytics.refresh_state as reader
            where 'histories' = any(reader.follows) and analytics.is_unread(session_changes.xid, reader.snapshot)
        )
),

logged_conversations as (
    delete from analytics.conversations_changes as change
    where crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
        and not exists (
            select from analytics.refresh_state as reader
            where reader.follows && array['conversations', 'conversations ' || change.operation]
                and analytics.is_unread(change.xid, reader.snapshot)
        )
),

logged_retries as (
    delete from analytics.crew_conversations_changes as change
    where crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
        and not exists (
            select from analytics.refresh_state as reader
            where reader.follows && array['crew_conversations retry', 'crew_conversations ' || change.operation]
                and analytics.is_unread(change.xid, reader.snapshot)
        )
)

select
    (select count(*) from days) as session_days,
    (select count(*) from summaries) as summaries,
    (select count(*) from people) + (select count(*) from clients) as links;
