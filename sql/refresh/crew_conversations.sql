-- crew_conversations: a row of app.conversations for each session that has none yet. One that the application deleted
-- comes back only with new messages.
-- in:  keys: sessions; %(unread_since)s: the watermark, or null
-- out: different; one row: present (sessions that have one)
with lately as (  -- as of this very statement: a deletion that it sees must not look like a conversation never made
    select
        crew_id,
        session_id,
        max(logged_at) filter (where source = 'conversations' and operation in ('delete', 'update')) as deleted_at,
        max(logged_at) filter (
            where source in ('histories_sessions', 'crew_conversations retry') and operation = 'insert'
        ) as new_at
    from analytics.conversation_changes
    where xid >= pg_snapshot_xmin(%(unread_since)s::pg_snapshot)
        and not pg_visible_in_snapshot(xid, %(unread_since)s::pg_snapshot)
        and (crew_id, session_id) in (select crew_id, session_id from keys)
    group by crew_id, session_id
),

sessions as materialized (
    select
        keys.crew_id,
        keys.session_id,
        crew.client_id,
        conversation.id is not null as has_conversation
    from keys
    inner join app.crews as crew on crew.id = keys.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = keys.crew_id and conversation.session_id = keys.session_id
),

missing as (
    select
        sessions.crew_id,
        sessions.session_id,
        sessions.client_id,
        min(day.first_message_at) as started_at
    from sessions
    inner join analytics.histories_sessions as day
        on day.crew_id = sessions.crew_id and day.session_id = sessions.session_id
    where not sessions.has_conversation
    group by sessions.crew_id, sessions.session_id, sessions.client_id
),

compared as (
    insert into different (change, day, id, channel, external_id, client_id, crew_id, session_id, started_at)
    select
        'inserted',
        (missing.started_at at time zone 'UTC')::date,
        gen_random_uuid(),
        'crew',
        missing.session_id,
        missing.client_id,
        missing.crew_id,
        missing.session_id,
        missing.started_at
    from missing
    left join analytics.deleted_conversations as deleted using (crew_id, session_id)
    left join lately using (crew_id, session_id)
    where coalesce(deleted.deleted_at, lately.deleted_at) is null
        or lately.new_at >= greatest(deleted.deleted_at, lately.deleted_at)
)

select count(*) as present from sessions
where has_conversation;
