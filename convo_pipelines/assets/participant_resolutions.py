"""Whose each contact method is, and each session id that is an identifier."""

from typing import Any

import dagster as dg

from convo_pipelines.assets import common
from convo_pipelines.assets.common import RefreshScope, daily_asset, reported, window_of
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.identifiers import CANONICAL
from convo_pipelines.statements import statement
from convo_pipelines.warehouse import Connection, Counts, Warehouse, fetch, fetch_one
from convo_pipelines.windows import Window

NAME = "participant_resolutions"
BATCH_ROWS = 10_000


@daily_asset(
    group_name="participants",
    deps=[crew_conversations, ["app", "contact_methods"], ["app", "people"], ["app", "crews"]],
)
def participant_resolutions(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """Whose each contact method is: set by the application, or the one person with the same identifier."""
    return reported(context, warehouse, NAME, lambda: refresh(warehouse, window_of(context)))


def refresh(warehouse: Warehouse, window: Window | None, *, renormalize: bool = False) -> Counts:
    """Make the resolutions of a window right, or, without a window, of everything since the watermark.

    Args:
        warehouse: where the tables are.
        window: participants written in it, and recipients of messages sent in it; identifiers are compared whole.
        renormalize: put all identifiers into their canonical form again, not only those that changed.

    Returns:
        What was done to contact methods and session ids together.

    """

    def work(connection: Connection, scope: RefreshScope) -> Counts:
        fetch(connection, "participants/normalized")
        fetch(connection, "participants/touched_identifiers")
        _normalize(connection, scope, renormalize)
        fetch(connection, "participants/identifiers", **scope.bounds)
        connection.execute("analyze touched_identifiers")
        contacts = fetch_one(connection, "refresh/participant_resolutions", **scope.bounds)
        sessions = fetch_one(connection, "refresh/session_resolutions", **scope.bounds)
        return Counts(**contacts) + Counts(**sessions)

    return common.refresh(warehouse, NAME, window, work)


def _normalize(connection: Connection, scope: RefreshScope, renormalize: bool) -> None:
    with connection.cursor("values") as spelled, connection.cursor() as writer:
        spelled.execute(statement("participants/values"), {**scope.bounds, "renormalize": renormalize})
        while batch := spelled.fetchmany(BATCH_ROWS):
            with writer.copy("copy normalized (kind, value, identifier) from stdin") as copy:
                for row in batch:
                    copy.write_row((row["kind"], row["value"], CANONICAL[row["kind"]](row["value"])))
    connection.execute("analyze normalized")
