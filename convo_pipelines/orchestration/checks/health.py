"""Health of discovery: limits, and odd rows."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations.health import discovery_limits
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import find, sql_check, verdict


@dg.asset_check(
    asset=key("histories_sessions"),
    name="discovery_is_healthy",
    description="Crews over a limit: rows unread for 10 minutes, or twice the schedule's interval; never read; a tick "
    "longer than 30 s; more than 5 % of the crews of the last hour failing (of at least 20); more than 3 consecutive "
    "failures. See last_error in analytics.crew_discovery_state, and the log of the last conversation_discovery run.",
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
