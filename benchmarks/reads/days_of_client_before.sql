-- in: %(key)s: a client
select
    activity_date,
    sum(messages) as messages,
    sum(started) as conversations_started,
    sum(closed) as conversations_closed,
    (
        select percentile_cont(0.5) within group (order by first_response_seconds)
        from analytics.conversation_summaries
        where client_id = %(key)s and (started_at at time zone 'UTC')::date = activity_date
    ) as first_response_median_seconds
from (
    select (message.sent_at at time zone 'UTC')::date as activity_date, 1 as messages, 0 as started, 0 as closed
    from app.messages as message
    inner join app.conversations as conversation on conversation.id = message.conversation_id
    where conversation.client_id = %(key)s
    union all
    select (started_at at time zone 'UTC')::date, 0, 1, 0
    from analytics.conversation_summaries
    where client_id = %(key)s
    union all
    select (closed_at at time zone 'UTC')::date, 0, 0, 1
    from analytics.conversation_summaries
    where client_id = %(key)s and closed_at is not null
) as counted
where activity_date >= current_date - 30
group by activity_date;
