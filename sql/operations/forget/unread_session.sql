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
