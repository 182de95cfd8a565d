-- Conversations whose project may have changed.
-- in:  %(window_start)s, %(window_end)s: updated in it, half-open;
--      %(by_activity)s: and those started in it;
--      %(slice_after)s, %(slice_up_to)s: and all whose id lies in (after, up to], or null
-- out: touched
insert into touched (id)
select id from app.conversations
where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
    or %(by_activity)s
    and started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
union
select id from app.conversations
where id > %(slice_after)s::uuid and id <= %(slice_up_to)s::uuid;
