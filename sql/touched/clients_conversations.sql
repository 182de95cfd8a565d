-- Conversations whose clients may have changed.
-- in:  %(window_start)s, %(window_end)s: with anything changed, or a person linked, in it, half-open;
--      %(by_activity)s: and those started or with messages sent in it;
--      %(slice_after)s, %(slice_up_to)s: and all whose id lies in (after, up to], or null
-- out: touched
insert into touched (id)
select conversation_id as id from analytics.conversation_changes
where changed_at >= %(window_start)s::timestamptz and changed_at < %(window_end)s::timestamptz
    and (%(by_activity)s or not is_activity)
union
select conversation_id from analytics.people_conversations
where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
union
select id from app.conversations
where id > %(slice_after)s::uuid and id <= %(slice_up_to)s::uuid;
