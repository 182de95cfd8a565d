-- Inserts conversations for sessions, unless the application has just inserted them.
-- in:  diff
-- out: app.conversations; deleted_conversations; conversation_changes; crew_discovery_state
with created as (
    insert into app.conversations (id, channel, external_id, client_id, crew_id, session_id, started_at)
    select
        id,
        channel,
        external_id,
        client_id,
        crew_id,
        session_id,
        started_at
    from pg_temp.diff
    where change = 'inserted'
    order by crew_id, session_id
    on conflict (crew_id, session_id) do nothing
    returning id, crew_id, session_id
),

restored as (
    delete from analytics.deleted_conversations as target
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
