-- Sessions of tables that several crews share which no crew has, so that no other table has them. If they are of a new agent, run
-- `convo-pipelines adopt n8n` again, with the same options.
-- severity: WARN
-- out: one row per session: view_name, session_id, message_count, last_message_at
select
    view_name,
    session_id,
    message_count,
    last_message_at
from analytics.unmatched_sessions
order by last_message_at desc nulls last, view_name, session_id;
