"""A run of a derived asset: its refresh, and what it reports."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
from psycopg import sql

from convo_pipelines.database.execution import fetch, fetch_one, identifier
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, refresh, ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.work import Outcome
from convo_pipelines.model.isolation import CrewResult
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS, TABLES
from convo_pipelines.operations import projects, schema
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.freshness import materialized_at
from convo_pipelines.orchestration.metadata import described
from convo_pipelines.orchestration.metadata import table as metadata_table
from convo_pipelines.orchestration.partitions import TICK_TAG, days, materialize_days, window_of

PREVIEW_ROWS = 5


def refreshed(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    table: DerivedTable,
    *,
    forget_pruned_days: bool = False,
) -> dg.MaterializeResult[Any]:
    """Do the run's tick or backfill of a table; log and return the result.

    A tick is a run of today's partition: every other day that it changed is reported as materialized, too. After the
    first build, and in the first tick that Dagster's storage knows of, all days with rows are. The run's metadata is
    stored with its last partition.

    Raises:
        dagster.Failure: PostgreSQL reported an error, a code belongs to no client or active crew, or every crew failed.
        dagster.RetryRequested: an error that passes by itself.

    """
    started = time.monotonic()
    is_tick = TICK_TAG in context.run.tags
    is_first = not materialized_at(context.instance, [table])
    with plain_failures(context):
        schema.require(warehouse)
        if is_tick:
            _observe_sources(context, warehouse, table)
            outcome, crew_results = ticks.tick(warehouse, table, context.log)
            if table is HISTORIES_SESSIONS:
                _observe_histories(context, warehouse)
        else:
            window = window_of(context)
            outcome, crew_results = ticks.backfill(
                warehouse, table, window, context.log, forget_pruned_days=forget_pruned_days
            )
    milliseconds = round((time.monotonic() - started) * 1000)
    context.log.info("%s: %s, %d ms", table.name, outcome, milliseconds)
    result = _result(context, warehouse, table, outcome, crew_results, milliseconds)
    if table.grain.has_days and (is_tick or outcome.is_build):
        is_all = outcome.is_build or (is_first and not outcome.is_skipped)
        materialize_days(context, refresh.days_of(warehouse, table) if is_all else sorted(outcome.days))
    return result


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
        for row in fetch(connection, "engine/change_log/updated", **span, sources=sources):
            updated = {"dagster/last_updated_timestamp": dg.MetadataValue.timestamp(row["updated_at"])}
            context.log_event(dg.AssetObservation(key(f"app/{row['source']}"), metadata=updated))


def _observe_histories(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Report how many histories tables there are, about how many rows they have, and their newest message."""
    with warehouse.connection() as connection:
        facts = fetch_one(connection, "orchestration/histories")
    if newest := facts.pop("newest_message_at"):
        facts["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(newest)
    context.log_event(dg.AssetObservation(key("app/histories"), metadata=facts))


def _result(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    table: DerivedTable,
    outcome: Outcome,
    crew_results: Sequence[CrewResult],
    milliseconds: int,
) -> dg.MaterializeResult[Any]:
    metadata = counted(outcome, crew_results) | {"milliseconds": milliseconds}
    if outside := [day for day in sorted(outcome.days) if not days.has_partition_key(day.isoformat())]:
        span = f"{outside[0]} and {outside[-1]} are the first and last"
        context.log.info("%s: %d days that changed have no partition: %s", table.name, len(outside), span)
        metadata["days_without_partition"] = len(outside)
    metadata |= described(warehouse, table) | _remark(warehouse, table)
    metadata["preview"] = _preview(warehouse, table.target)
    failed = [result for result in crew_results if result.error]
    if failed and len(failed) == len(crew_results):
        raise dg.Failure(f"all {len(failed)} crews failed; {failed[0].crew.code}: {failed[0].error}", metadata)
    if not table.grain.has_days:
        return dg.MaterializeResult(metadata=metadata)
    context.add_asset_metadata(metadata, partition_key=context.partition_key_range.end)
    return dg.MaterializeResult()


def counted(outcome: Outcome, crew_results: Sequence[CrewResult]) -> dict[str, Any]:
    """Return what a refresh did as metadata: rows, days and crews."""
    counts = outcome.counts
    metadata: dict[str, Any] = {
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_deleted": counts.deleted,
        "rows_unchanged": counts.unchanged,
        "rows_left_to_the_next_tick": outcome.locked,
        "days_touched": len(outcome.days),
    }
    if crew_results:
        failures = sum(result.error is not None for result in crew_results)
        metadata |= {"crews_done": len(crew_results) - failures, "crews_failed": failures}
        metadata["crews"] = _crew_table(crew_results)
    return metadata


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


def _remark(warehouse: Warehouse, table: DerivedTable) -> dict[str, str]:
    """Return why the table is empty if the application has no arrays to compare."""
    if table is not TABLES["project_link_inconsistencies"]:
        return {}
    with warehouse.connection() as connection:
        return {} if projects.have_arrays(connection) else {"remark": projects.NO_ARRAYS}


def _preview(warehouse: Warehouse, table: str) -> dg.TableMetadataValue:
    query = sql.SQL("select * from {} limit {}").format(identifier(table), PREVIEW_ROWS)
    with warehouse.connection() as connection:
        return metadata_table(connection.execute(query).fetchall())
