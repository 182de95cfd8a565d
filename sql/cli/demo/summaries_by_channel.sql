-- out: conversations and messages per source and channel
select
    source,
    channel,
    count(*) as conversations,
    sum(message_count)::bigint as messages,
    round(avg(first_response_seconds)) as first_response_seconds
from analytics.conversation_summaries
group by source, channel
order by source, channel;
