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
                cross join lateral analytics.holder_of(shared.identifier, recipients.client_id) as holder
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
    cross join lateral analytics.holder_of(sessions.identifier, sessions.client_id) as holder
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
