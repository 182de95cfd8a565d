-- The open conversation of a lead that has messages: at most one, as the check one_open_conversation_per_lead sees to.
-- in:  %(lead)s: id
-- out: the columns of analytics.conversation_summaries
select * from analytics.conversation_summaries
where lead_id = %(lead)s::uuid and closed_at is null
order by started_at desc;
