-- The logs of sources that may be views get the columns by which rows of a view are looked up. Adopted views are captured by
-- their former functions until they are installed again.
alter table analytics.clients_changes add column beneath text, add column beneath_values text[];
alter table analytics.crews_changes add column beneath text, add column beneath_values text[];
alter table analytics.people_changes add column beneath text, add column beneath_values text[];
alter table analytics.contact_methods_changes add column beneath text, add column beneath_values text[];
alter table analytics.conversations_changes add column beneath text, add column beneath_values text[];
alter table analytics.messages_changes add column beneath text, add column beneath_values text[];
alter table analytics.message_recipients_changes add column beneath text, add column beneath_values text[];
alter table analytics.projects_changes add column beneath text, add column beneath_values text[];
alter table analytics.users_changes add column beneath text, add column beneath_values text[];
