-- Conversations with their summary, one row each.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: started in this half-open span, or null
-- out: conversation_id, client_code, channel, crew_code, session_id, project_id, lead_id, customer_id, the counts
--      and times of the summary
select
    summary.conversation_id,
    client.client_code,
    summary.channel,
    crew.crew_code,
    summary.session_id,
    summary.project_id,
    summary.lead_id,
    summary.customer_id,
    summary.message_count,
    summary.inbound_count,
    summary.outbound_count,
    summary.participant_count,
    summary.started_at,
    summary.ended_at,
    summary.duration_seconds,
    summary.first_response_seconds,
    summary.last_inbound_at,
    summary.last_outbound_at,
    summary.waiting_since,
    summary.closed_at
from analytics.conversation_summaries as summary
left join analytics.client_names as client on client.client_id = summary.client_id
left join analytics.crew_names as crew on crew.crew_id = summary.crew_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and (%(start)s::timestamptz is null or summary.started_at >= %(start)s)
    and (%(end)s::timestamptz is null or summary.started_at < %(end)s)
order by summary.started_at, summary.conversation_id;
