-- Alerts that have ended were deleted.
delete from analytics.alerts where ended_at is not null;
drop index analytics.alerts_open;
alter table analytics.alerts drop column id, drop column end_notified_at;
alter table analytics.alerts add primary key (source, kind, subject);
comment on table analytics.alerts is
'Problems found, and whether a notification about each was delivered. A row is deleted once its end has been '
'notified.';
comment on column analytics.alerts.found is 'The measured value or count.';
comment on column analytics.alerts.link is 'Link to the UI; null if DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.notified_at is 'When the last notification about it was delivered; null: none yet.';

drop view analytics.delays;
