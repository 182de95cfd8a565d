-- deleted_conversations: what the application deleted, as far as nobody has read it in the log yet.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null: all that the log has
insert into analytics.deleted_conversations as target (crew_id, session_id, deleted_at)
select
    deleted.crew_id,
    deleted.session_id,
    max(deleted.deleted_at)
from (
    select
        coalesce(change.crew_id, day.crew_id) as crew_id,
        coalesce(change.session_id, day.session_id) as session_id,
        change.logged_at as deleted_at
    from analytics.conversation_changes as change
    left join analytics.histories_sessions as day on change.operation = 'truncate'
    where change.source = 'conversations'
        and (change.operation = 'truncate' or change.operation in ('delete', 'update') and change.session_id is not null)
        and (
            %(unread_since)s::pg_snapshot is null
            or change.xid >= pg_snapshot_xmin(%(unread_since)s::pg_snapshot)
            and not pg_visible_in_snapshot(change.xid, %(unread_since)s::pg_snapshot)
        )
) as deleted
inner join app.crews as crew on crew.id = deleted.crew_id
where deleted.session_id is not null
    and not exists (
        select from app.conversations as conversation
        where conversation.crew_id = deleted.crew_id and conversation.session_id = deleted.session_id
    )
group by deleted.crew_id, deleted.session_id
on conflict (crew_id, session_id) do update set
    deleted_at = greatest(target.deleted_at, excluded.deleted_at);
