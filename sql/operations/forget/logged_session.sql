-- Removes a session of a crew from the log of sessions, where every table that follows has read it, or where its deletion was
-- logged. The days stay for the lake, until it has read them.
-- in:  %(crew_id)s, %(session_id)s: null for all sessions of the crew
update analytics.histories_sessions_changes as change
set
    crew_id = null,
    session_id = null
where crew_id = %(crew_id)s::uuid and session_id is not null
    and (%(session_id)s::text is null or session_id = %(session_id)s)
    and (
        xid = pg_current_xact_id()
        or not exists (
            select from analytics.refresh_state as reader
            where reader.follows && array['histories_sessions', 'histories_sessions ' || change.operation]
                and analytics.is_unread(change.xid, reader.snapshot)
        )
    );
