-- Sessions that may lack their conversation: sessions that changed, and sessions whose conversation was deleted by a transaction
-- that could not see messages that were already read.
-- By hand: it is about deletions, which no query of rows tells.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: crew_id, session_id
select
    crew_id,
    session_id
from analytics.histories_sessions_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and crew_id is not null
union
(
    (
        select
            crew_id,
            session_id
        from analytics.histories_sessions_changes
        where xid >= pg_snapshot_xmin(%(from_snapshot)s::pg_snapshot) and xids is not null
        union
        select
            crew_id,
            session_id
        from analytics.crew_conversations_changes
        where xid >= pg_snapshot_xmin(%(from_snapshot)s::pg_snapshot) and xids is not null
    )
    intersect
    select
        crew_id,
        session_id
    from analytics.changed_conversations
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and operation in ('delete', 'update') and crew_id is not null
);
