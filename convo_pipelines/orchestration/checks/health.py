"""Health of discovery: limits, and odd rows."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations.health import discovery_limits
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import find, sql_check, verdict


@dg.asset_check(
    asset=key("histories_sessions"),
    name="discovery_is_healthy",
    description="Crews over a limit. A crew is over a limit if its rows were unread for 10 minutes, or for twice the "
    "schedule's interval. It is also over a limit if it was never read, if its tick took more than 30 s, or if it "
    "failed more than 3 times in a row. The check also fails if more than 5 % of the crews of the last hour failed (of "
    "at least 20). See last_error in analytics.crew_discovery_state, and the log of the last conversation_discovery "
    "run.",
)
def discovery_is_healthy(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Compare the state of every active crew with the limits."""
    with warehouse.connection() as connection:
        return verdict(
            *find(connection, "tables/histories_sessions/checks/discovery_is_healthy", **discovery_limits(connection))
        )


odd_row_checks = [
    sql_check("orchestration/checks/no_odd_rows", asset, asset_key=asset)
    for asset in ("histories_sessions", "crew_conversations", "conversation_summaries", "project_conversations")
]
