-- First answers of clients' conversations, by UTC day of their start, and in total.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: started in this half-open span
-- out: is_crew; started_on, or null: total; conversations; unanswered (open, with a question and no answer); median_seconds,
--      p90_seconds to the first answer, null if none was answered
select
    summary.channel = 'crew' as is_crew,
    (summary.started_at at time zone 'UTC')::date as started_on,
    count(*) as conversations,
    count(*) filter (
        where summary.first_response_seconds is null and summary.inbound_count > 0 and summary.closed_at is null
    ) as unanswered,
    percentile_cont(0.5) within group (order by summary.first_response_seconds) as median_seconds,
    percentile_cont(0.9) within group (order by summary.first_response_seconds) as p90_seconds
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and summary.started_at >= %(start)s and summary.started_at < %(end)s
group by 1, rollup (2)
order by 1, 2;
