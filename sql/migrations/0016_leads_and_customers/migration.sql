-- Summaries name the lead and the customer of their conversation; the next tick fills them in.
alter table analytics.conversation_summaries
add column lead_id uuid,
add column customer_id uuid;

comment on column analytics.conversation_summaries.lead_id is 'The lead that the conversation names.';
comment on column analytics.conversation_summaries.customer_id is 'The customer that the conversation names.';

insert into analytics.conversation_changes (source, operation) values ('conversation_summaries again', 'everything');
