"""A run of a derived asset: its run config, its refresh, and the metadata that it reports."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import dagster as dg
from psycopg import sql
from pydantic import Field

from convo_pipelines.database.warehouse import Warehouse, fetch, identifier
from convo_pipelines.engine import change_log, crews, ticks
from convo_pipelines.engine.isolation import CrewResult
from convo_pipelines.engine.refresh import Outcome
from convo_pipelines.engine.registry import DERIVED_TABLES, PROJECT_LINK_INCONSISTENCIES, DerivedTable
from convo_pipelines.operations import health, projects
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.metadata import described
from convo_pipelines.orchestration.metadata import table as metadata_table
from convo_pipelines.orchestration.partitions import TICK_TAG, days, window_of

PREVIEW_ROWS = 5
NAMED_DAYS = 300
"""A tick that changes more days than this reports only their number."""


class Narrowed(dg.ConfigurableResource[Any]):
    """Restricts a run to crews or clients, for all of its assets; unrestricted unless configured at launch."""

    crews: list[str] = Field(default=[], description="Codes of the crews whose sessions to refresh.")
    clients: list[str] = Field(default=[], description="Codes of the clients whose conversations to refresh.")


def refreshed(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    table: DerivedTable,
    narrowed: Narrowed,
    *,
    forget_pruned_days: bool = False,
) -> dg.MaterializeResult[Any]:
    """Do the run's tick or backfill of a table; log and return the result.

    A tick is a run of today's partition: every other day that it changed is reported as materialized, too. Metadata of
    the whole run (a preview, the columns, the crews) is stored with the last partition.

    Raises:
        dagster.Failure: PostgreSQL reported an error, a code belongs to no client or active crew, or every crew failed.
        dagster.RetryRequested: an error that passes by itself.

    """
    started = time.monotonic()
    with plain_failures(context):
        health.require_schema(warehouse)
        narrowing = crews.select(warehouse, narrowed.crews, narrowed.clients)
        if TICK_TAG in context.run.tags:
            _observe_sources(context, warehouse, table)
            outcome, crew_results = ticks.tick(warehouse, table, context.log, narrowing)
            _log_days(context, outcome.days)
        else:
            window = window_of(context)
            outcome, crew_results = ticks.backfill(
                warehouse, table, window, context.log, narrowing, forget_pruned_days=forget_pruned_days
            )
    milliseconds = round((time.monotonic() - started) * 1000)
    if outcome.is_skipped:
        context.log.info("%s: skipped, another tick is running", table.name)
    context.log.info("%s: %s, %d ms", table.name, outcome.counts, milliseconds)
    return _result(context, warehouse, table, outcome, crew_results, milliseconds)


def _observe_sources(context: dg.AssetExecutionContext, warehouse: Warehouse, table: DerivedTable) -> None:
    """Report when each source table was last written to, once per source and job."""
    sources = [
        source for source in table.sources if next((t for t in DERIVED_TABLES if source in t.changes), None) is table
    ]
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        if at.from_snapshot is None:
            return
        span = {"from_snapshot": at.from_snapshot, "to_snapshot": at.to_snapshot}
        for row in fetch(connection, "engine/log/updated", **span, sources=sources):
            updated = {"dagster/last_updated_timestamp": dg.MetadataValue.timestamp(row["updated_at"])}
            context.log_event(dg.AssetObservation(["app", row["source"]], metadata=updated))


def _log_days(context: dg.AssetExecutionContext, changed: set[date]) -> None:
    others = sorted(day.isoformat() for day in changed if days.has_partition_key(day.isoformat()))
    if len(others) > NAMED_DAYS:
        context.log.info("%d days were changed", len(others))
        return
    for day in others:
        if day != context.partition_key:
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=day))


def _result(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    table: DerivedTable,
    outcome: Outcome,
    crew_results: Sequence[CrewResult],
    milliseconds: int,
) -> dg.MaterializeResult[Any]:
    failed = [result for result in crew_results if result.error]
    counts = outcome.counts
    metadata: dict[str, Any] = {
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_deleted": counts.deleted,
        "rows_unchanged": counts.unchanged,
        "days_touched": len(outcome.days),
        "milliseconds": milliseconds,
    }
    if crew_results:
        metadata["crews_done"] = len(crew_results) - len(failed)
        metadata["crews_failed"] = len(failed)
    once = {
        "preview": _preview(warehouse, table.target),
        **_described(warehouse, table.target),
        **_remark(warehouse, table),
    }
    if crew_results:
        once["crews"] = _crew_table(crew_results)
    context.add_asset_metadata(once, partition_key=context.partition_key_range.end)
    if failed and len(failed) == len(crew_results):
        raise dg.Failure(
            f"all {len(failed)} crews failed; {failed[0].crew.code}: {failed[0].error}",
            metadata | once,
        )
    return dg.MaterializeResult(metadata=metadata)


def _crew_table(results: Sequence[CrewResult]) -> dg.TableMetadataValue:
    return metadata_table(
        [
            {
                "crew": result.crew.code,
                "rows read": result.rows_read,
                **asdict(result.outcome.counts),
                "ms": result.milliseconds,
                "result": result.error or result.warning or ("done" if result.caught_up else "to be continued"),
            }
            for result in results
        ]
    )


def _described(warehouse: Warehouse, relation: str) -> dict[str, Any]:
    with warehouse.connection() as connection:
        return described(fetch(connection, "orchestration/columns", relation=relation))


def _remark(warehouse: Warehouse, table: DerivedTable) -> dict[str, str]:
    """Return why the table is empty if the application has no arrays to compare."""
    if table is not PROJECT_LINK_INCONSISTENCIES:
        return {}
    with warehouse.connection() as connection:
        return {} if projects.have_arrays(connection) else {"remark": projects.NO_ARRAYS}


def _preview(warehouse: Warehouse, table: str) -> dg.TableMetadataValue:
    query = sql.SQL("select * from {} limit {}").format(identifier(table), PREVIEW_ROWS)
    with warehouse.connection() as connection:
        return metadata_table(connection.execute(query).fetchall())
