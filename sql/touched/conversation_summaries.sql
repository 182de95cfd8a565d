-- Conversations whose summary may have changed.
-- in:  %(window_start)s, %(window_end)s: with anything updated or refreshed in it, half-open;
--      %(by_activity)s: and those started, active or with messages sent in it;
--      %(slice_after)s, %(slice_up_to)s: and all whose id lies in (after, up to], or null
-- out: touched
insert into touched (id)
select id from app.conversations
where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
    or %(by_activity)s
    and started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
union
select conversation_id from app.messages
where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
    or %(by_activity)s
    and sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
union
select message.conversation_id
from app.message_recipients as recipient
inner join app.messages as message on message.id = recipient.message_id
where recipient.updated_at >= %(window_start)s::timestamptz and recipient.updated_at < %(window_end)s::timestamptz
union
select conversation.id
from analytics.histories_sessions as day
inner join app.conversations as conversation
    on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
where day.refreshed_at >= %(window_start)s::timestamptz and day.refreshed_at < %(window_end)s::timestamptz
    or %(by_activity)s
    and day.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and day.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select conversation_id from analytics.conversation_summaries
where refreshed_at = '-infinity'
    or %(by_activity)s
    and started_at < %(window_end)s::timestamptz and ended_at >= %(window_start)s::timestamptz
union
select id from app.conversations
where id > %(slice_after)s::uuid and id <= %(slice_up_to)s::uuid;
