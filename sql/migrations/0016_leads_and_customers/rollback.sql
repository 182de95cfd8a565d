-- Summaries name neither lead nor customer.
alter table analytics.conversation_summaries
drop column lead_id,
drop column customer_id;
