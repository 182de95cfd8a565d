-- name: in_lake
-- The tables whose changes go into a lake: ticks of the lake follow them.
-- out: a row per table: table_name
select 'analytics.' || table_name as table_name from analytics.lake_state
order by table_name;


-- name: unread_session
-- The tables that have not read all changes of a session of a crew.
-- in:  %(crew_id)s, %(session_id)s: null for all sessions of the crew
-- out: a row per table: table_name
with logged as (
    select
        array['histories'] as sources,
        change.xid
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    where state.crew_id = %(crew_id)s::uuid
        and (%(session_id)s::text is null or change.session_id is null or change.session_id = %(session_id)s)
    union all
    select
        array[change.source, change.source || ' ' || change.operation],
        change.xid
    from (
        select 'conversations' as source, operation, xid, crew_id, session_id from analytics.changed_conversations
        union all
        select 'crew_conversations', operation, xid, crew_id, session_id from analytics.crew_conversations_changes
        union all
        select 'histories_sessions', operation, xid, crew_id, session_id from analytics.histories_sessions_changes
    ) as change
    where crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
)

select asset_key as table_name from analytics.refresh_state as reader
where exists (
    select from logged
    where logged.sources && reader.follows and analytics.is_unread(logged.xid, reader.snapshot)
)
order by asset_key;


-- name: session
-- Deletes a session of a crew from analytics; from the logs, what every table has read that follows it. logged_session does
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


-- name: logged_session
-- Removes a session of a crew from the log of sessions, where every table that follows has read it, or where its deletion was
-- logged. The days stay for the lake, until it has read them.
-- in:  %(crew_id)s, %(session_id)s: null for all sessions of the crew
update analytics.histories_sessions_changes as change
set
    crew_id = null,
    session_id = null
where crew_id = %(crew_id)s::uuid and session_id is not null
    and (%(session_id)s::text is null or session_id = %(session_id)s)
    and (
        xid = pg_current_xact_id()
        or not exists (
            select from analytics.refresh_state as reader
            where reader.follows && array['histories_sessions', 'histories_sessions ' || change.operation]
                and analytics.is_unread(change.xid, reader.snapshot)
        )
    );


-- name: messages_left
-- Whether a histories table still has messages of a session.
-- in:  {histories}; %(session_id)s: null for any session
-- out: one row: is_left
select exists(
    select from {histories}
    where %(session_id)s::text is null or session_id = %(session_id)s
) as is_left;


-- name: conversation_left
-- Whether the application still has a conversation of a session.
-- in:  %(crew_id)s, %(session_id)s: null for any session
-- out: one row: is_left
select exists(
    select from app.conversations
    where crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
) as is_left;


-- name: person_left
-- Whether the application still has a person, or a contact method of the person.
-- in:  %(person_id)s
-- out: one row: is_left
select
    exists (select from app.people where id = %(person_id)s::uuid)
    or exists (select from app.contact_methods where person_id = %(person_id)s::uuid) as is_left;


-- name: unread_person
-- The tables that have not read all changes of a person, of what is the person's, and of the conversations linked to the person.
-- in:  %(person_id)s
-- out: a row per table: table_name
with known as (
    select %(person_id)s::uuid as id
    union
    select source_id from analytics.identifiers
    where person_id = %(person_id)s::uuid
    union
    select contact_method_id from analytics.participant_resolutions
    where person_id = %(person_id)s::uuid
    union
    select id from curation.participant_decisions
    where person_id = %(person_id)s::uuid
),

logged as (
    select
        change.source,
        change.operation,
        change.xid
    from (
        select 'people' as source, id, operation, xid from analytics.changed_people
        union all
        select 'contact_methods', id, operation, xid from analytics.changed_contact_methods
        union all
        select 'participant_decisions', id, operation, xid from analytics.participant_decisions_changes
        union all
        select 'participant_resolutions', contact_method_id, operation, xid from analytics.participant_resolutions_changes
        where conversation_id is null
    ) as change
    where change.id is null or change.id in (select id from known)
    union all
    select
        change.source,
        change.operation,
        change.xid
    from (
        select 'conversations' as source, id as conversation_id, operation, xid from analytics.changed_conversations
        union all
        select 'messages', conversation_id, operation, xid from analytics.changed_messages
        union all
        select 'people_conversations', conversation_id, operation, xid from analytics.people_conversations_changes
        union all
        select 'participant_resolutions', conversation_id, operation, xid from analytics.participant_resolutions_changes
    ) as change
    where change.conversation_id in (
        select conversation_id from analytics.people_conversations
        where person_id = %(person_id)s::uuid
    )
)

select asset_key as table_name from analytics.refresh_state as reader
where exists (
    select from logged
    where reader.follows && array[logged.source, logged.source || ' ' || logged.operation]
        and analytics.is_unread(logged.xid, reader.snapshot)
)
order by asset_key;


-- name: person
-- Deletes a person from analytics, with the decisions on the person.
-- in:  %(person_id)s
-- out: one row: identifiers, resolutions, decisions, links
with identifiers as (
    delete from analytics.identifiers
    where source_id = %(person_id)s::uuid or person_id = %(person_id)s::uuid
    returning 1
),

contacts as (
    delete from analytics.participant_resolutions where person_id = %(person_id)s::uuid
    returning 1
),

decisions as (
    delete from curation.participant_decisions where person_id = %(person_id)s::uuid
    returning 1
),

people as (
    delete from analytics.people_conversations where person_id = %(person_id)s::uuid
    returning 1
)

select
    (select count(*) from identifiers) as identifiers,
    (select count(*) from contacts) as resolutions,
    (select count(*) from decisions) as decisions,
    (select count(*) from people) as links;
