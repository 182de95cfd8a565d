-- Participants (contact methods among the recipients) of clients' messages by resolution status, per client and in total.
-- In the total, a participant of several clients counts once, as resolved if it is resolved for each.
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

participants as (
    select
        recipients.client_code,
        recipients.contact_method_id,
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
),

totals as (
    select
        contact_method_id,
        coalesce(min(status) filter (where status <> 'resolved'), 'resolved') as status
    from participants
    group by contact_method_id
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
