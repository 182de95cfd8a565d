-- Notes the conversations that were inserted for sessions, and that those which are refused are to come back.
-- in:  {saved}: the conversations, inserted by this statement (save.sql) or before it (saved.sql); diff
-- out: queries of a statement: deleted_conversations; refused_conversations; conversations_changes; crew_discovery_state
inserted as (
{saved}
),

saved as (  -- without those that a trigger of the application has given another session
    select inserted.*
    from inserted
    inner join diff on diff.crew_id = inserted.crew_id and diff.session_id = inserted.session_id
    where diff.change = 'inserted'
),

restored as (
    delete from analytics.deleted_conversations as target
    using diff
    where diff.change in ('inserted', 'refused') and target.crew_id = diff.crew_id and target.session_id = diff.session_id
),

accepted as (
    delete from analytics.refused_conversations as target
    using saved
    where target.crew_id = saved.crew_id and target.session_id = saved.session_id
),

logged as (
    insert into analytics.conversations_changes (id, crew_id, session_id, operation)
    select
        id,
        crew_id,
        session_id,
        'insert'
    from saved
    where exists (select from analytics.capture_state where table_name = 'conversations' and mode = 'uncaptured')
),

counted as (
    update analytics.crew_discovery_state as state
    set conversations_created = state.conversations_created + created.conversations
    from (
        select
            crew_id,
            count(*) as conversations
        from saved
        group by crew_id
    ) as created
    where state.crew_id = created.crew_id
)
