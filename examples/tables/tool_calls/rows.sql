-- Calls of tools, by crew, tool and UTC day. Read from app.tool_messages, which setup.sql makes: what is logged of the
-- crews' histories tables are sessions and days, so that a table of one's own cannot read them.
-- key = ["crew_id", "tool", "called_on"]
-- day = "called_on"
-- sessions: Sessions in which it was called on this day.
-- last_called_at: The answer of the last call.
select
    crew_id, tool, (called_at at time zone 'UTC')::date as called_on,
    count(*) as calls, count(distinct session_id) as sessions, max(called_at) as last_called_at
from app.tool_messages
group by crew_id, tool, called_on
