-- The histories tables of the active crews.
-- out: one row: tables, rows_estimated, newest_message_at (of the sessions that were read; null: none)
select
    count(*) as tables,
    coalesce(sum(sizes.rows), 0)::bigint as rows_estimated,
    max(newest.last_message_at) as newest_message_at
from analytics.crew_discovery_state as state
left join analytics.capture_state as source on source.table_name = state.histories_table_name
cross join lateral (
    select sum(greatest(class.reltuples, 0)) as rows
    from pg_class as class
    where class.oid = any(source.members)
) as sizes
left join lateral (
    select max(session.last_message_at) as last_message_at
    from analytics.histories_sessions as session
    where session.crew_id = state.crew_id
        and session.activity_date = (
            select max(day.activity_date) from analytics.histories_sessions as day
            where day.crew_id = state.crew_id
        )
) as newest on true
where state.is_discovered;
