-- The clients' conversations with the longest waits for a first answer: still unanswered ones, and answered ones.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: started in this half-open span; %(until)s: end of
--      the wait of unanswered ones; %(most)s: maximum number of each
-- out: is_answered, conversation_id, client_code, channel, started_at, waited_seconds since the first question; longest first
with summary as (
    select
        summary.*,
        client.client_code
    from analytics.conversation_summaries as summary
    inner join app.clients as client on client.id = summary.client_id
    where (%(client)s::text is null or client.client_code = %(client)s)
        and summary.started_at >= %(start)s and summary.started_at < %(end)s
),

answered as (
    select
        true as is_answered, conversation_id, client_code, channel, started_at,
        first_response_seconds as waited_seconds
    from summary
    where first_response_seconds is not null
    order by first_response_seconds desc, conversation_id
    limit %(most)s
),

waiting as (
    select
        summary.*,
        case summary.source
            when 'histories' then (
                select min(day.first_human_at) from analytics.histories_sessions as day
                where day.crew_id = summary.crew_id and day.session_id = summary.session_id
            )
            else (
                select min(message.sent_at) from app.messages as message
                where message.conversation_id = summary.conversation_id
                    and message.direction = 'inbound' and analytics.is_usable_time(message.sent_at)
            )
        end as asked_at
    from summary
    where first_response_seconds is null and inbound_count > 0 and closed_at is null
),

unanswered as (
    select
        false as is_answered, conversation_id, client_code, channel, started_at,
        extract(epoch from %(until)s::timestamptz - asked_at)::float8 as waited_seconds
    from waiting
    order by asked_at, conversation_id
    limit %(most)s
)

select * from answered
union all
select * from unanswered
order by is_answered, waited_seconds desc, conversation_id;
