-- The logs that get columns.
lock table analytics.session_changes, analytics.conversation_changes in access exclusive mode nowait;
