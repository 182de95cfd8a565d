"""Health of discovery: checks that are cheap enough to run after every tick."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations.health import discovery_limits
from convo_pipelines.orchestration.checks import find, sql_check, verdict


@dg.asset_check(
    asset="histories_sessions",
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


health_checks = [
    discovery_is_healthy,
    sql_check(
        "every_crew_succeeded",
        "histories_sessions",
        "The last tick or backfill of these crews failed; other crews are up to date. The error names the remedy.",
    ),
    sql_check(
        "no_odd_histories_tables",
        "histories_sessions",
        "Histories tables with a problem that does not prevent reading, such as a missing index.",
        dg.AssetCheckSeverity.WARN,
    ),
    *(
        sql_check(
            "no_odd_rows",
            asset,
            "Rows of the application that are ignored, or read with a correction: counted by the last reconcile, "
            "plus those that ticks have read since. The remedy is shown with each kind.",
            dg.AssetCheckSeverity.WARN,
            asset_key=asset,
        )
        for asset in ("histories_sessions", "conversation_summaries", "project_conversations")
    ),
    sql_check(
        "app_tables_are_indexed",
        "conversation_summaries",
        "Indexes of app that are missing: without them every tick scans the whole table. Run the statements shown, or "
        "`convo-pipelines migrate up --only analytics`.",
        dg.AssetCheckSeverity.WARN,
    ),
]
