-- Notes the conversations that were inserted for sessions, and that those which are refused are to come back.
-- in:  diff; app.conversations
-- out: deleted_conversations; refused_conversations; conversation_changes; crew_discovery_state
with created as (
    select
        conversation.id,
        diff.crew_id,
        diff.session_id
    from pg_temp.diff
    inner join app.conversations as conversation
        on conversation.crew_id = diff.crew_id and conversation.session_id = diff.session_id
    where diff.change = 'inserted'
),

restored as (
    delete from analytics.deleted_conversations as target
    using pg_temp.diff
    where diff.change in ('inserted', 'refused') and target.crew_id = diff.crew_id and target.session_id = diff.session_id
),

accepted as (
    delete from analytics.refused_conversations as target
    using created
    where target.crew_id = created.crew_id and target.session_id = created.session_id
),

propagated as (
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation)
    select
        'conversations',
        id,
        crew_id,
        session_id,
        'insert'
    from created
    where exists (select from analytics.capture_state where table_name = 'conversations' and mode = 'window')
)

update analytics.crew_discovery_state as state
set conversations_created = state.conversations_created + created_for.conversations
from (
    select
        crew_id,
        count(*) as conversations
    from created
    group by crew_id
) as created_for
where state.crew_id = created_for.crew_id;
