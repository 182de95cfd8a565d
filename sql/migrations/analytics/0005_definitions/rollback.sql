alter table analytics.refresh_state drop column definition;
