-- Whether the application still has a conversation of a session.
-- in:  %(crew_id)s, %(session_id)s: null for any session
-- out: one row: is_left
select exists(
    select from app.conversations
    where crew_id = %(crew_id)s::uuid and session_id is not null
        and (%(session_id)s::text is null or session_id = %(session_id)s)
) as is_left;
