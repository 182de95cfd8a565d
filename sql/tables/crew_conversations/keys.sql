-- Sessions that may lack their conversation: those that changed, and those whose conversation was deleted, because it may
-- have had messages which the deleting transaction did not see.
-- in:  %(window_start)s, %(window_end)s: in a half-open span of time, or null;
--      %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots, or null
-- out: crew_id, session_id
select
    crew_id,
    session_id
from analytics.histories_sessions
where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select
    crew_id,
    session_id
from analytics.conversation_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source = 'histories_sessions' and crew_id is not null
union
select
    change.crew_id,
    change.session_id
from analytics.conversation_changes as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.source = 'conversations' and change.operation in ('delete', 'update')
    and change.crew_id is not null and change.session_id is not null
    and not exists (
        select from app.conversations as conversation
        where conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
    );
