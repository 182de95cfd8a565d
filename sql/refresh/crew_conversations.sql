-- crew_conversations: a row of app.conversations for each session that has none yet. One that the application deleted
-- comes back only with new messages.
-- in:  keys: sessions; %(is_captured)s: whether inserts into app.conversations are logged by themselves;
--      %(unread_since)s: the watermark, or null
-- out: changed; deleted_conversations; conversation_changes; one row: present (sessions that had one)
with lately as (  -- as of this very statement: a deletion that it sees must not look like a conversation never made
    select
        crew_id,
        session_id,
        max(logged_at) filter (where source = 'conversations' and operation in ('delete', 'update')) as deleted_at,
        max(logged_at) filter (where source = 'histories_sessions' and operation = 'insert') as new_at
    from analytics.conversation_changes
    where xid >= pg_snapshot_xmin(%(unread_since)s::pg_snapshot)
        and not pg_visible_in_snapshot(xid, %(unread_since)s::pg_snapshot)
        and session_id is not null
    group by crew_id, session_id
),

sessions as (
    select
        keys.crew_id,
        keys.session_id,
        crew.client_id,
        exists (
            select from app.conversations as conversation
            where conversation.crew_id = keys.crew_id and conversation.session_id = keys.session_id
        ) as has_conversation
    from keys
    inner join app.crews as crew on crew.id = keys.crew_id
),

missing as materialized (
    select
        gen_random_uuid() as id,
        sessions.crew_id,
        sessions.session_id,
        sessions.client_id,
        first_day.started_at
    from sessions
    cross join lateral (
        select min(day.first_message_at) as started_at
        from analytics.histories_sessions as day
        where day.crew_id = sessions.crew_id and day.session_id = sessions.session_id
    ) as first_day
    left join analytics.deleted_conversations as deleted
        on deleted.crew_id = sessions.crew_id and deleted.session_id = sessions.session_id
    left join lately on lately.crew_id = sessions.crew_id and lately.session_id = sessions.session_id
    where not sessions.has_conversation
        and first_day.started_at is not null
        and (
            coalesce(deleted.deleted_at, lately.deleted_at) is null
            or lately.new_at >= greatest(deleted.deleted_at, lately.deleted_at)
        )
    order by sessions.crew_id, sessions.session_id  -- looked up before the first insert
),

created as (
    insert into app.conversations (id, channel, external_id, client_id, crew_id, session_id, started_at)
    select
        id,
        'crew',
        session_id,
        client_id,
        crew_id,
        session_id,
        started_at
    from missing
    on conflict (crew_id, session_id) do nothing
    returning id, crew_id, session_id, started_at
),

restored as (
    delete from analytics.deleted_conversations as target
    using created
    where target.crew_id = created.crew_id and target.session_id = created.session_id
),

passed_on as (
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation)
    select
        'conversations',
        id,
        crew_id,
        session_id,
        'insert'
    from created
    where not %(is_captured)s
),

counted as (
    update analytics.crew_discovery_state as state
    set conversations_created = state.conversations_created + created_for.conversations
    from (
        select crew_id, count(*) as conversations
        from created
        group by crew_id
    ) as created_for
    where state.crew_id = created_for.crew_id
),

noted as (
    insert into changed (kind, day, id, crew_id, session_id)
    select
        'inserted',
        (started_at at time zone 'UTC')::date,
        id,
        crew_id,
        session_id
    from created
)

select count(*) as present from sessions
where has_conversation;
