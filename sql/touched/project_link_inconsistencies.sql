-- Projects whose array, and conversations whose project, may have changed.
-- in:  %(window_start)s, %(window_end)s: updated in it, half-open;
--      %(by_activity)s: all projects instead: an array has no day
-- out: touched
insert into touched (id)
select id from app.projects
where %(by_activity)s
    or updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
union
select id from app.conversations
where not %(by_activity)s
    and updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz;
