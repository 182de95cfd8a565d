-- crew_conversations: a row of app.conversations for each session without one. A conversation that the application deleted
-- comes back only with new messages.
-- in:  keys: sessions; present: their conversations; %(unread_since)s: the watermark, or null
with lately as (  -- in this statement's snapshot, so that the deletions that it sees are recognized
    select
        crew_id,
        session_id,
        max(logged_at) filter (where source = 'conversations' and operation in ('delete', 'update')) as deleted_at,
        max(logged_at) filter (
            where source in ('histories_sessions', %(retry_source)s) and operation = 'insert'
        ) as new_at
    from analytics.conversation_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        and (crew_id, session_id) in (select crew_id, session_id from pg_temp.keys)
    group by crew_id, session_id
),

missing as (
    select
        day.crew_id,
        day.session_id,
        crew.client_id,
        min(day.first_message_at) as started_at
    from pg_temp.keys
    inner join app.crews as crew on crew.id = keys.crew_id
    inner join analytics.histories_sessions as day on day.crew_id = keys.crew_id and day.session_id = keys.session_id
    left join present on present.crew_id = keys.crew_id and present.session_id = keys.session_id
    where present.crew_id is null
    group by day.crew_id, day.session_id, crew.client_id
)

select
    gen_random_uuid() as id,
    'crew' as channel,
    missing.session_id as external_id,
    missing.client_id,
    missing.crew_id,
    missing.session_id,
    missing.started_at
from missing
left join analytics.deleted_conversations as deleted using (crew_id, session_id)
left join lately using (crew_id, session_id)
where coalesce(deleted.deleted_at, lately.deleted_at) is null
    or lately.new_at >= greatest(deleted.deleted_at, lately.deleted_at);
