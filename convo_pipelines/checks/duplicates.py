"""No key twice: the constraints forbid it, these checks notice where one is missing."""

from convo_pipelines.checks import sql_check

duplicate_checks = [
    sql_check(
        "no_duplicate_sessions",
        "histories_sessions",
        "Two rows for one crew, session and day: the primary key is missing; run `convo-pipelines migrate validate`.",
    ),
    sql_check(
        "no_duplicate_conversations",
        "crew_conversations",
        "Two conversations for one session: app.conversations lacks its unique (crew_id, session_id). "
        "Let the application merge them, then add the constraint.",
    ),
    sql_check(
        "no_duplicate_summaries",
        "conversation_summaries",
        "Two rows for one conversation: the primary key is missing; run `convo-pipelines migrate validate`.",
    ),
]
