-- What pg_ivm keeps of the examples. No view of it may read another one.
create schema parts;
select pgivm.create_immv('parts.tool_days', $$
    select
        crew_id, tool, (called_at at time zone 'UTC')::date as called_on,
        count(*) as calls, max(called_at) as last_called_at
    from app.tool_messages
    group by crew_id, tool, (called_at at time zone 'UTC')::date
$$);
select pgivm.create_immv('parts.tool_sessions', $$
    select distinct crew_id, tool, (called_at at time zone 'UTC')::date as called_on, session_id
    from app.tool_messages
$$);
select pgivm.create_immv('parts.outbound', $$
    select conversation_id, min(sent_at) as taken_over_at, count(*) as messages
    from app.messages
    where direction = 'outbound'
    group by conversation_id
$$);
select pgivm.create_immv('parts.sessions', $$
    select crew_id, session_id, max(last_message_at) as last_message_at
    from analytics.histories_sessions
    group by crew_id, session_id
$$);
