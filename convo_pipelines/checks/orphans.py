"""Nothing that hangs in the air."""

import dagster as dg

from convo_pipelines.checks import sql_check

orphan_checks = [
    sql_check(
        "no_summaries_without_conversation",
        "conversation_summaries",
        "Summaries whose conversation is gone: the foreign key is missing or was bypassed. Delete these rows.",
    ),
    sql_check(
        "no_crew_conversations_without_session",
        "crew_conversations",
        "Crew conversations without a session: its messages were deleted, or the application wrote the row itself. "
        "Harmless; delete them in the application if they should not be there.",
        dg.AssetCheckSeverity.WARN,
    ),
    sql_check(
        "no_sessions_without_conversation",
        "crew_conversations",
        "Sessions without a conversation: materialize crew_conversations for the days shown.",
    ),
]
