-- The tables that get columns, and an index.
lock table analytics.refresh_state, analytics.crew_discovery_state, analytics.session_changes in access exclusive mode nowait;
