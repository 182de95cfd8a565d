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
    sql_check(
        "no_duplicate_participants",
        "participant_resolutions",
        "Two resolutions of one contact method: the primary key is missing; run `convo-pipelines migrate validate`.",
    ),
    sql_check(
        "no_duplicate_people_links",
        "people_conversations",
        "A person linked to a conversation twice: the unique key is missing; run `convo-pipelines migrate validate`.",
    ),
    sql_check(
        "no_duplicate_client_links",
        "clients_conversations",
        "A client linked to a conversation twice: the unique key is missing; run `convo-pipelines migrate validate`.",
    ),
    sql_check(
        "no_duplicate_project_links",
        "project_conversations",
        "A conversation with two projects: the unique key is missing; run `convo-pipelines migrate validate`.",
    ),
]
