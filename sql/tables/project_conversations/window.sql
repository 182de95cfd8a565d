-- The keys with activity in a window. Derived from rows.sql and `days` in table.toml by `make keys`: edit these.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: conversation_id
select conversations.id as conversation_id
from app.conversations
where conversations.started_at >= %(window_start)s::timestamptz
    and conversations.started_at < %(window_end)s::timestamptz
    and conversations.id is not null;
