"""What every refreshed asset shares: its run config, its definition and what it reports."""

import functools
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import dagster as dg
from psycopg import sql
from pydantic import Field

from convo_pipelines import ticks
from convo_pipelines.crews import CrewResult
from convo_pipelines.metadata import described
from convo_pipelines.metadata import table as metadata_table
from convo_pipelines.partitions import TICK_TAG, days, window_of
from convo_pipelines.refresh import Outcome
from convo_pipelines.registry import DerivedTable
from convo_pipelines.warehouse import Warehouse, fetch

PREVIEW_ROWS = 5
NAMED_DAYS = 300
"""Beyond so many days a tick reports only how many it touched."""

daily_asset = functools.partial(
    dg.asset,
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1),
    kinds={"postgres"},
    owners=["team:data"],
)


class Narrowing(dg.Config):
    """What a run can be narrowed to."""

    crews: list[str] = Field(default=[], description="Codes of the crews to refresh; empty for all.")


def refreshed(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    table: DerivedTable,
    crew_codes: Sequence[str] = (),
    *,
    forget_pruned_days: bool = False,
) -> dg.MaterializeResult[Any]:
    """Do what the run asks for, a tick or a backfill; log in one line what that did, and return it.

    A tick is a run of today's partition: every other day that it touched is reported as materialized, too.

    Raises:
        dagster.Failure: there were crews, and every one of them failed.

    """
    started = time.monotonic()
    if TICK_TAG in context.run.tags:
        outcome, crew_results = ticks.tick(warehouse, table, context.log, crew_codes)
        _report_days(context, outcome.days)
    else:
        window = window_of(context)
        outcome, crew_results = ticks.backfill(
            warehouse, table, window, context.log, crew_codes, forget_pruned_days=forget_pruned_days
        )
    milliseconds = round((time.monotonic() - started) * 1000)
    if outcome.is_skipped:
        context.log.info("%s: another tick is at work", table.name)
    context.log.info("%s: %s, %d ms", table.name, outcome.counts, milliseconds)
    return _result(warehouse, table, outcome, crew_results, milliseconds)


def _report_days(context: dg.AssetExecutionContext, touched: set[date]) -> None:
    others = sorted(day.isoformat() for day in touched if days.has_partition_key(day.isoformat()))
    if len(others) > NAMED_DAYS:
        context.log.info("%d days were touched", len(others))
        return
    for day in others:
        if day != context.partition_key:
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=day))


def _result(
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
        "preview": _preview(warehouse, table.target),
        **_described(warehouse, table.target),
    }
    if crew_results:
        metadata["crews_done"] = len(crew_results) - len(failed)
        metadata["crews_failed"] = len(failed)
        metadata["crews"] = _crew_table(crew_results)
    if failed and len(failed) == len(crew_results):
        raise dg.Failure(
            f"all {len(failed)} crews failed; {failed[0].crew.code}: {failed[0].error}", metadata, allow_retries=False
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
        return described(fetch(connection, "status/columns", relation=relation))


def _preview(warehouse: Warehouse, table: str) -> dg.TableMetadataValue:
    query = sql.SQL("select * from {} limit {}").format(sql.Identifier(*table.split(".")), PREVIEW_ROWS)
    with warehouse.connection() as connection:
        return metadata_table(connection.execute(query).fetchall())
