-- out: the five conversations that started last
select
    client.client_code as client,
    summary.channel,
    summary.message_count as messages,
    summary.participant_count as participants,
    to_char(summary.started_at, 'YYYY-MM-DD HH24:MI') as started,
    round(summary.duration_seconds) as seconds,
    round(summary.first_response_seconds) as first_response
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
order by summary.started_at desc
limit 5;
