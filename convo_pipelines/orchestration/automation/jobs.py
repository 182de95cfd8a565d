"""The jobs, by the names that schedules and operators use."""

import http.client
import urllib.request
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import reconcile as reconciliation
from convo_pipelines.engine.registry import DISCOVERY, LINKS
from convo_pipelines.operations import alerts
from convo_pipelines.operations import health as health_of
from convo_pipelines.orchestration import retention
from convo_pipelines.orchestration.checks.health import health_checks
from convo_pipelines.orchestration.metadata import table as metadata_table
from convo_pipelines.settings import settings

conversation_discovery = dg.define_asset_job(
    "conversation_discovery",
    dg.AssetSelection.assets(*(table.name for table in DISCOVERY)).without_checks()
    | dg.AssetSelection.checks(*health_checks),
    description="Histories tables to sessions, conversations and summaries; the full-scan checks are not part of it.",
)

link_sync = dg.define_asset_job(
    "link_sync",
    dg.AssetSelection.assets(*(table.name for table in LINKS)).without_checks(),
    description="Participants to persons, and the link tables of persons, clients and projects.",
)


@dg.op
def compare_everything(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Compares every derived row with its sources and repairs it; drift, by kind, is observed on each asset."""
    result = reconciliation.run(warehouse, context.log)
    for name, outcome in result.tables.items():
        drift = {f"drift_{kind}": rows for kind, rows in asdict(outcome.drift).items() if kind != "unchanged"}
        context.log_event(dg.AssetObservation(name, metadata=asdict(outcome.counts) | drift))
    context.add_output_metadata({"drift": result.drift.changed, **asdict(result.repairs), **result.totals})
    if result.failed_crews:
        raise dg.Failure("these crews could not be compared; all else was: " + "; ".join(result.failed_crews))


@dg.job(description="The full comparison: every derived row against its sources, repaired where it differs.")
def reconcile() -> None:
    """Run the comparison."""
    compare_everything()


all_checks = dg.define_asset_job(
    "all_checks", dg.AssetSelection.all_asset_checks(), description="Every check, the full scans too."
)


activity_report = dg.define_asset_job(
    "activity_report",
    dg.AssetSelection.assets("activity_report"),
    description="The activity report, written and sent to REPORT_URLS.",
)


@dg.op
def look_at_health(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Looks whether everything is alive and up to date, tells who is to be told, and fetches HEARTBEAT_URL if it is."""
    findings = health_of.look(warehouse)
    for finding in findings:
        context.log.warning("%s: %s (%s)", finding.kind, finding.subject, finding.found)
    with suppress(psycopg.errors.UndefinedTable), warehouse.connection() as connection:
        alerts.observe(connection, findings)
        alerts.deliver(warehouse)
    if not findings and (url := settings().heartbeat_url):
        try:
            with urllib.request.urlopen(url, timeout=10):  # noqa: S310
                pass
        except (OSError, ValueError, http.client.HTTPException) as error:  # whose text may hold a secret of the address
            raise dg.Failure(f"HEARTBEAT_URL could not be fetched: {type(error).__name__}") from None
    rows = [{"of" if name == "subject" else name: value for name, value in f.as_row().items()} for f in findings]
    context.add_output_metadata({"findings": metadata_table(rows)})


@dg.job(description="Whether everything is alive and up to date: alerts, and the heartbeat.")
def health() -> None:
    """Look once."""
    look_at_health()


@dg.op
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Deletes what Dagster stored of runs older than EVENT_RETENTION_DAYS, but for each partition's newest."""
    before = datetime.now(UTC) - timedelta(days=settings().event_retention_days)
    runs = retention.forget_runs(context.instance, before)
    context.log.info("%d runs from before %s were deleted", runs, f"{before:%Y-%m-%d %H:%M} UTC")
    context.add_output_metadata({"runs_deleted": runs})


@dg.job(description="Keeps Dagster's own database small: old runs go, what is materialized stays so.")
def event_retention() -> None:
    """Delete once."""
    forget_old_runs()
