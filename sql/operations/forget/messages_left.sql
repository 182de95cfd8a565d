-- Whether a histories table still has messages of a session.
-- in:  {histories}; %(session_id)s: null for any session
-- out: one row: is_left
select exists(
    select from {histories}
    where %(session_id)s::text is null or session_id = %(session_id)s
) as is_left;
