-- The open conversation of a lead: at most one, which the check one_open_conversation_per_lead verifies.
-- in:  %(lead)s: id
-- out: the columns of analytics.lead_open_conversations
select * from analytics.lead_open_conversations
where lead_id = %(lead)s::uuid
order by started_at desc;
