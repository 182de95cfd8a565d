"""The jobs, by the names that schedules and operators use."""

from dataclasses import asdict

import dagster as dg

from convo_pipelines import reconcile as reconciliation
from convo_pipelines.checks.health import health_checks
from convo_pipelines.registry import DISCOVERY, LINKS
from convo_pipelines.warehouse import Warehouse

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
