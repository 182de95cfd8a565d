-- Participants (contact methods among the recipients) of clients' messages, by how they were resolved, for each client and
-- all together: one may write to several.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: of messages sent in it, half-open
-- out: client_code, or null: all together; status; participants
select
    client.client_code,
    resolution.status,
    count(distinct recipient.contact_method_id) as participants
from app.messages as message
inner join analytics.conversation_summaries as summary on summary.conversation_id = message.conversation_id
inner join app.clients as client on client.id = summary.client_id
inner join app.message_recipients as recipient on recipient.message_id = message.id
inner join analytics.participant_resolutions as resolution on resolution.contact_method_id = recipient.contact_method_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and message.sent_at >= %(start)s and message.sent_at < %(end)s
group by resolution.status, rollup (client.client_code)
order by 1, 2;
