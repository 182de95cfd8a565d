-- A process that knows another definition of a table does not refresh it.
alter table analytics.refresh_state add column definition text;
