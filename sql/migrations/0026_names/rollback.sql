-- Names are read in app.
drop view analytics.lead_open_conversations;
drop view analytics.lead_conversations;
drop view analytics.customer_conversations;
drop view analytics.client_names;
drop view analytics.crew_names;
drop view analytics.project_names;
drop view analytics.unknown_senders;
drop view analytics.person_names;
drop view analytics.contact_method_values;
