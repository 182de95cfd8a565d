"""The jobs."""

import http.client
import urllib.request
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model import reconcile as reconciliation
from convo_pipelines.model.tables import DERIVED_TABLES, DISCOVERY, LINK_SYNC
from convo_pipelines.operations import alerts, projects
from convo_pipelines.operations import health as health_of
from convo_pipelines.orchestration import retention
from convo_pipelines.orchestration.cells import key, tags
from convo_pipelines.orchestration.checks.tables import tick_checks
from convo_pipelines.orchestration.crons import is_one_tick
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.metadata import described
from convo_pipelines.orchestration.metadata import table as metadata_table
from convo_pipelines.orchestration.partitions import Priority
from convo_pipelines.settings import settings

DISCOVERED = (*DISCOVERY, *LINK_SYNC) if is_one_tick() else DISCOVERY
"""The tables of conversation_discovery: with the links if these are due at the same times."""

conversation_discovery = dg.define_asset_job(
    "conversation_discovery",
    dg.AssetSelection.assets(*(key(table.name) for table in DISCOVERED)).without_checks()
    | dg.AssetSelection.checks(*tick_checks),
    description="Refreshes sessions, conversations and summaries from the histories tables, and the links with them "
    "if LINK_SYNC_CRON is the same; without full-scan checks.",
    tags=tags(),
    executor_def=dg.in_process_executor,
)

link_sync = dg.define_asset_job(
    "link_sync",
    dg.AssetSelection.assets(*(key(table.name) for table in LINK_SYNC)).without_checks(),
    description="Resolves participants to persons, and refreshes the links of persons, clients and projects.",
    tags=tags(),
    executor_def=dg.in_process_executor,
)


scheduled_alone = {
    table.name: dg.define_asset_job(
        table.job,
        dg.AssetSelection.assets(key(table.name)).without_checks(),
        description=f"Refreshes {table.name}, which has a schedule of its own.",
        tags=tags(),
        executor_def=dg.in_process_executor,
    )
    for table in DERIVED_TABLES
    if table.cron
}
"""The jobs of tables that declare `cron`."""


@dg.op
def compare_everything(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Compares every derived row with its sources and repairs it; reports drift, by kind, as an asset observation."""
    with plain_failures(context):
        result = reconciliation.run(warehouse, context.log)
    for table in DERIVED_TABLES:
        outcome = result.tables[table.name]
        drift = {f"drift_{kind}": rows for kind, rows in asdict(outcome.drift).items() if kind != "unchanged"}
        facts = asdict(outcome.counts) | drift | described(warehouse, table)
        context.log_event(dg.AssetObservation(key(table.name), metadata=facts))
    context.add_output_metadata({"drift": result.drift.changed, **asdict(result.repairs), **result.totals})
    if result.failed_crews:
        raise dg.Failure("these crews could not be compared, all others were: " + "; ".join(result.failed_crews))


@dg.job(
    description="Compares every derived row with its sources, and repairs those that differ.",
    tags=Priority.RECONCILE.tags | tags(),
)
def reconcile() -> None:
    """Run the comparison."""
    compare_everything()


all_checks = dg.define_asset_job(
    "all_checks",
    dg.AssetSelection.all_asset_checks(),
    description="Runs every check, full scans included.",
    tags=tags(),
    executor_def=dg.in_process_executor,
)


activity_report = dg.define_asset_job(
    "activity_report",
    dg.AssetSelection.assets(key("activity_report")),
    description="Writes the activity report, and sends it to REPORT_URLS.",
    tags=tags(),
)


@dg.op
def rewrite_arrays(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Rewrites the arrays that differ from conversations' project_id; needs UPDATE on app.projects."""
    with warehouse.connection() as connection:
        if not projects.have_arrays(connection):
            context.log.info(projects.NO_ARRAYS)
            return
        names = list(dict.fromkeys(row["project_id"] for row in projects.differences(connection)))
    done = projects.rewrite(warehouse, names, lambda _: None)
    context.add_output_metadata(asdict(done))


@dg.job(
    description="Rewrites the deprecated app.projects.conversation_ids, as `data project-arrays --write` does.",
    tags=tags(),
)
def project_arrays() -> None:
    """Run the rewriting."""
    rewrite_arrays()


@dg.op
def check_health(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Checks the health of the pipeline, sends alerts to ALERT_URLS, and fetches HEARTBEAT_URL if all is well."""
    findings = health_of.look(warehouse)
    for finding in findings:
        context.log.warning("%s: %s (%s)", finding.kind, finding.subject, finding.found)
    kinds = {finding.kind for finding in findings}
    if health_of.AWAY not in kinds:  # of that, the sensor database_outages alerts
        of_old_schema = (psycopg.ProgrammingError,) if health_of.SCHEMA in kinds else ()
        with suppress(*of_old_schema), warehouse.connection() as connection:
            alerts.observe(connection, findings)
            alerts.deliver(warehouse)
    if not findings and (url := settings().heartbeat_url):
        try:
            with urllib.request.urlopen(url, timeout=10):  # noqa: S310
                pass
        except (OSError, ValueError, http.client.HTTPException) as error:  # its message may contain a secret of the URL
            raise dg.Failure(f"HEARTBEAT_URL could not be fetched: {type(error).__name__}") from None
    rows = [{"of" if name == "subject" else name: value for name, value in f.as_row().items()} for f in findings]
    context.add_output_metadata({"findings": metadata_table(rows)})


@dg.job(
    description="Checks that the pipeline is up to date; sends alerts and the heartbeat.",
    tags=Priority.HEALTH.tags | tags(),
)
def health() -> None:
    """Run the check."""
    check_health()


@dg.op
def delete_old_runs(context: dg.OpExecutionContext) -> None:
    """Deletes Dagster's runs older than EVENT_RETENTION_DAYS, except those that hold a partition's newest state."""
    before = datetime.now(UTC) - timedelta(days=settings().event_retention_days)
    with plain_failures(context):
        runs = retention.delete_runs(context.instance, before)
    context.log.info("%d runs from before %s were deleted", runs, f"{before:%Y-%m-%d %H:%M} UTC")
    context.add_output_metadata({"runs_deleted": runs})


@dg.job(description="Deletes old runs from Dagster's database; materialized partitions stay so.", tags=tags())
def event_retention() -> None:
    """Run the deletion."""
    delete_old_runs()
