-- The tables that a trigger is created on, and that get another owner.
lock table
    app.conversations,
    analytics.session_changes,
    analytics.conversation_changes,
    analytics.message_changes,
    analytics.identifier_changes,
    analytics.project_changes
in access exclusive mode nowait;
