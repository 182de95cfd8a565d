-- Dagster learns nothing of the webhook.
drop table analytics.webhook_refreshes;
