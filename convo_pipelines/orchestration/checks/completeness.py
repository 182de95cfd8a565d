"""Completeness of the session-days: every message of every histories table is counted."""

import dagster as dg
import psycopg

from convo_pipelines.database.connections import Row
from convo_pipelines.database.execution import error_message, histories
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model import crews
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import find, one_snapshot, unread_since, verdict


@dg.asset_check(
    asset=key("histories_sessions"),
    name="every_message_is_counted",
    description="Days of crews whose messages are not those counted in histories_sessions (archived days and unread "
    "changes excepted): triggers were bypassed, or histories_sessions was modified by hand. Materialize "
    "histories_sessions for the days shown. Where a table cannot be read, an error stands in place of the count.",
)
def every_message_is_counted(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Compare each crew's histories table with its session-days, one snapshot per crew."""
    offenders, sample = 0, list[Row]()
    with warehouse.connection() as connection:
        active = crews.active(connection)
    for crew in active:
        try:
            with one_snapshot(warehouse) as connection:
                found, days = find(
                    connection,
                    "tables/histories_sessions/checks/every_message_is_counted",
                    histories(crew["table_name"]),
                    crew_id=crew["id"],
                    members=crew["members"],
                    unread_since=unread_since(connection, HISTORIES_SESSIONS.name),
                )
        except psycopg.Error as error:
            found, days = 1, [{"activity_date": None, "in_source": None, "counted": error_message(error)}]
        offenders += found
        sample += [{"crew": crew["code"], **day} for day in days]
    return verdict(offenders, sample, crews=len(active))
