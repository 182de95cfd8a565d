-- name: last_message
-- The last message of clients' conversations; messages dated in the future are ignored.
-- in:  %(client)s: client_code, or null for all
-- out: at most one row: sent_at
select max(summary.ended_at) as sent_at
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and summary.ended_at < now() + interval '1 day' and summary.ended_at >= '1970-01-01'
having max(summary.ended_at) is not null;


-- name: crews_at_work
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


-- name: first_answers
-- First answers of clients' conversations, by UTC day of their start, and in total.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: started in this half-open span
-- out: is_crew; started_on, or null: total; conversations; unanswered (open, with a question and no answer); median_seconds,
--      p90_seconds to the first answer, null if none was answered
select
    summary.channel = 'crew' as is_crew,
    (summary.started_at at time zone 'UTC')::date as started_on,
    count(*) as conversations,
    count(*) filter (
        where summary.first_response_at is null and summary.inbound_count > 0 and summary.closed_at is null
    ) as unanswered,
    percentile_cont(0.5) within group (order by summary.first_response_seconds) as median_seconds,
    percentile_cont(0.9) within group (order by summary.first_response_seconds) as p90_seconds
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and summary.started_at >= %(start)s and summary.started_at < %(end)s
group by 1, rollup (2)
order by 1, 2;


-- name: waiting
-- The clients' open conversations whose last message is the customer's.
-- in:  %(client)s: client_code, or null for all; %(week)s, %(week_before)s, %(until)s: times
-- out: one row: total, week (those that wait since a time in [week, until)), week_before (in [week_before, week))
select
    count(*) as total,
    count(*) filter (where waiting_since >= %(week)s and waiting_since < %(until)s) as week,
    count(*) filter (where waiting_since >= %(week_before)s and waiting_since < %(week)s) as week_before
from analytics.waiting_conversations
where client_id is not null and (%(client)s::text is null or client_code = %(client)s);


-- name: longest_waits
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

unanswered as (
    select
        false as is_answered, conversation_id, client_code, channel, started_at,
        extract(epoch from %(until)s::timestamptz - waiting_since)::float8 as waited_seconds
    from summary
    where first_response_at is null and waiting_since is not null
    order by waiting_since, conversation_id
    limit %(most)s
)

select * from answered
union all
select * from unanswered
order by is_answered, waited_seconds desc, conversation_id;


-- name: participants
-- Participants of clients' messages by resolution status, per client and in total: contact methods among the recipients, and
-- identifiers that are session ids. In the total, a participant of several clients counts once, as resolved if it is resolved for
-- each.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: of messages sent in this half-open span
-- out: client_code, or null: total; status; participants
with recipients as (
    select distinct
        client.id as client_id,
        client.client_code,
        recipient.contact_method_id
    from app.messages as message
    inner join analytics.conversation_summaries as summary on summary.conversation_id = message.conversation_id
    inner join app.clients as client on client.id = summary.client_id
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    where (%(client)s::text is null or client.client_code = %(client)s)
        and message.sent_at >= %(start)s and message.sent_at < %(end)s
),

sessions as (
    select distinct
        client.id as client_id,
        client.client_code,
        named.identifier
    from analytics.histories_sessions as day
    inner join analytics.conversation_summaries as summary
        on summary.crew_id = day.crew_id and summary.session_id = day.session_id
    inner join app.clients as client on client.id = summary.client_id
    inner join analytics.identifiers as named
        on named.source_id = summary.conversation_id and named.source = 'conversation' and named.identifier is not null
    where (%(client)s::text is null or client.client_code = %(client)s)
        and day.last_message_at >= %(start)s and day.first_message_at < %(end)s
),

participants as (
    select
        recipients.client_code,
        recipients.contact_method_id::text as participant,
        case
            when resolution.status = 'ambiguous' and exists (
                select from analytics.identifiers as shared
                cross join lateral analytics.holder_of(array[shared.identifier], recipients.client_id) as holder
                where shared.source_id = recipients.contact_method_id and shared.source = 'contact_method'
                    and holder.person_id is not null
            ) then 'resolved'
            else resolution.status
        end as status
    from recipients
    inner join analytics.participant_resolutions as resolution on resolution.contact_method_id = recipients.contact_method_id
    union all
    select
        sessions.client_code,
        sessions.identifier,
        case
            when holder.person_id is not null then 'resolved'
            when holder.candidate_count > 1 then 'ambiguous'
            else 'unmatched'
        end
    from sessions
    cross join lateral analytics.holder_of(array[sessions.identifier], sessions.client_id) as holder
),

totals as (
    select
        participant,
        coalesce(min(status) filter (where status <> 'resolved'), 'resolved') as status
    from participants
    group by participant
)

select
    client_code,
    status,
    count(*) as participants
from participants
group by client_code, status
union all
select
    null,
    status,
    count(*)
from totals
group by status
order by 1, 2;


-- name: message_hours
-- E-mail and chat messages of clients' conversations, by weekday and hour.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: sent in this half-open span
-- out: weekday (1: Monday) and hour, UTC; messages
select
    extract(isodow from message.sent_at at time zone 'UTC')::int as weekday,
    extract(hour from message.sent_at at time zone 'UTC')::int as hour,
    count(*) as messages
from app.messages as message
inner join analytics.conversation_summaries as summary
    on summary.conversation_id = message.conversation_id and summary.source = 'messages'
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and message.sent_at >= %(start)s and message.sent_at < %(end)s
group by 1, 2;


-- name: session_hours
-- Messages of a crew's sessions that are clients' conversations, by weekday and hour.
-- in:  {histories}; %(crew_id)s; %(client)s: client_code, or null for all; %(start)s, %(end)s: written in this half-open span
-- out: weekday (1: Monday) and hour, UTC; messages
select
    extract(isodow from history.created_at at time zone 'UTC')::int as weekday,
    extract(hour from history.created_at at time zone 'UTC')::int as hour,
    count(*) as messages
from {histories} as history
inner join app.conversations as conversation
    on conversation.crew_id = %(crew_id)s::uuid
    and conversation.session_id = history.session_id::text collate "default"
inner join analytics.conversation_summaries as summary
    on summary.conversation_id = conversation.id and summary.source = 'histories'
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and history.created_at >= %(start)s and history.created_at < %(end)s
group by 1, 2;
