lock table analytics.refresh_state, analytics.webhook_refreshes in access exclusive mode nowait;
