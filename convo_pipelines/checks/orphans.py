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
        leaves_out_pending=True,
    ),
    *(
        sql_check(
            name,
            asset,
            f"Rows of {asset} that lead to nothing: a foreign key is missing or was bypassed. Delete these rows.",
        )
        for name, asset in (
            ("no_orphaned_participants", "participant_resolutions"),
            ("no_orphaned_people_links", "people_conversations"),
            ("no_orphaned_client_links", "clients_conversations"),
            ("no_orphaned_project_links", "project_conversations"),
        )
    ),
]
