-- deleted_conversations: what the application deleted, as far as nobody has read it in the log yet.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null
insert into analytics.deleted_conversations as target (crew_id, session_id, deleted_at)
select
    change.crew_id,
    change.session_id,
    max(change.logged_at)
from analytics.conversation_changes as change
inner join app.crews as crew on crew.id = change.crew_id
where change.xid >= pg_snapshot_xmin(%(unread_since)s::pg_snapshot)
    and not pg_visible_in_snapshot(change.xid, %(unread_since)s::pg_snapshot)
    and change.source = 'conversations'
    and change.operation in ('delete', 'update')
    and change.session_id is not null
    and not exists (
        select from app.conversations as conversation
        where conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
    )
group by change.crew_id, change.session_id
on conflict (crew_id, session_id) do nothing;
