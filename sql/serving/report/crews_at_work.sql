-- The crews whose sessions were clients' conversations, whichever client the crews belong to now.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: UTC days with messages in this half-open span
-- out: one row per crew, most messages first: crew_id, crew_code, table_name (null: its histories table is not read now),
--      messages
select
    crew.id as crew_id,
    crew.crew_code,
    case
        when state.is_discovered and state.last_error is null and state.histories_table_name = crew.histories_table_name
            then crew.histories_table_name
    end as table_name,
    sum(day.message_count)::bigint as messages
from analytics.conversation_days as day
inner join analytics.conversation_summaries as summary on summary.conversation_id = day.conversation_id
inner join app.crews as crew on crew.id = summary.crew_id
inner join app.clients as client on client.id = day.client_id
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
where (%(client)s::text is null or client.client_code = %(client)s)
    and day.source = 'histories'
    and day.message_count > 0
    and day.activity_date >= (%(start)s::timestamptz at time zone 'UTC')::date
    and day.activity_date < (%(end)s::timestamptz at time zone 'UTC')::date
group by crew.id, crew.crew_code, crew.histories_table_name, state.crew_id
order by messages desc, crew.crew_code;
