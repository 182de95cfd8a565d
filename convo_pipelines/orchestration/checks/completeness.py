"""Completeness: every message is counted, every recipient, client and project is linked."""

import dagster as dg
import psycopg

from convo_pipelines.database.warehouse import Row, Warehouse, error_message, fetch, histories
from convo_pipelines.engine import crews
from convo_pipelines.engine.registry import HISTORIES_SESSIONS
from convo_pipelines.orchestration.checks import find, one_snapshot, sql_check, verdict


@dg.asset_check(
    asset="histories_sessions",
    name="every_message_is_counted",
    description="Days of crews whose messages are not those counted in histories_sessions (archived days and unread "
    "changes excepted): triggers were bypassed, or histories_sessions was modified by hand. Materialize "
    "histories_sessions for the days shown.",
)
def every_message_is_counted(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Compare each crew's histories table with its session-days, one snapshot per crew."""
    offenders, sample = 0, list[Row]()
    with warehouse.connection() as connection:
        active = crews.active(connection)
    for crew in active:
        try:
            with one_snapshot(warehouse) as connection:
                state = fetch(connection, "engine/log/position", asset_key=HISTORIES_SESSIONS.name)
                found, days = find(
                    connection,
                    "tables/histories_sessions/checks/every_message_is_counted",
                    histories(crew["table_name"]),
                    crew_id=crew["id"],
                    members=crew["members"],
                    unread_since=state[0]["unread_since"] if state else None,
                )
        except psycopg.Error as error:
            found, days = 1, [{"activity_date": None, "in_source": None, "counted": error_message(error)}]
        offenders += found
        sample += [{"crew": crew["code"], **day} for day in days]
    return verdict(offenders, sample, crews=len(active))


completeness_checks = [
    every_message_is_counted,
    sql_check(
        "every_conversation_is_summarized",
        "conversation_summaries",
        "Conversations with messages but without a summary: run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_conversation_has_its_days",
        "conversation_days",
        "Conversations whose days do not add up to their summary: run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_crew_day_adds_up",
        "crew_activity_daily",
        "Days of crews whose counts differ from their session-days: materialize crew_activity_daily for the days "
        "shown.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_client_day_adds_up",
        "client_activity_daily",
        "Days of clients whose counts differ from their conversations' days: materialize client_activity_daily "
        "for the days shown.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_contact_method_is_resolved",
        "participant_resolutions",
        "Contact methods without a resolution, or resolved to a person other than the one that the application set: "
        "run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_recipient_is_linked",
        "people_conversations",
        "Conversations without a link to the person of one of their recipients: run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_client_is_linked",
        "clients_conversations",
        "Conversations without a link to the client of a linked person or of their crew: "
        "run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
    sql_check(
        "every_project_is_linked",
        "project_conversations",
        "Conversations without a link to the project in their project_id: run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
    ),
]
