"""What every refreshed asset shares: its run config, its definition and what it reports."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
from psycopg import sql
from pydantic import Field

from convo_pipelines import watermarks
from convo_pipelines.discovery import CrewResult
from convo_pipelines.partitions import TICK_TAG, days
from convo_pipelines.tables import markdown
from convo_pipelines.warehouse import Connection, Counts, Warehouse, fetch, fetch_one
from convo_pipelines.windows import ALL_CONVERSATIONS, Slice, Window

RefreshScope = Window | Slice
PREVIEW_ROWS = 5

daily_asset = functools.partial(
    dg.asset,
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1),
    kinds={"postgres"},
    owners=["team:data"],
)


class Scope(dg.Config):
    """What a backfill can be narrowed to."""

    crews: list[str] = Field(default=[], description="Codes of the crews to refresh; empty for all.")


def window_of(context: dg.AssetExecutionContext) -> Window | None:
    """Return the window of the run's partitions; None for a scheduled tick, which starts from the watermarks."""
    return None if TICK_TAG in context.run.tags else Window.of(context)


def refresh(
    warehouse: Warehouse, name: str, scope: RefreshScope | None, work: Callable[[Connection, RefreshScope], Counts]
) -> Counts:
    """Make `analytics.<name>` right for a window or slice, or, without one, for everything since its watermark.

    Args:
        warehouse: where the table is.
        name: the asset, named as its table.
        scope: what to refresh; None for a tick.
        work: refreshes it, in the transaction that also moves the watermark.

    """
    with warehouse.locked(name) as connection:
        if scope is None:
            tick = watermarks.begin(connection, name)
            counts = work(connection, tick.window)
            watermarks.finish(connection, tick)
        else:
            counts = work(connection, scope)
    warehouse.analyze(f"analytics.{name}", counts)
    return counts


def refresh_table(warehouse: Warehouse, name: str, scope: RefreshScope | None, **parameters: Any) -> Counts:
    """Refresh `analytics.<name>` by its statements, `sql/touched/` and `sql/refresh/`; arguments as of `refresh`."""

    def work(connection: Connection, scope: RefreshScope) -> Counts:
        bounds = _simplest(connection, scope).bounds
        fetch(connection, "touched/table")
        fetch(connection, f"touched/{name}", **bounds)
        connection.execute("analyze touched")
        return Counts(**fetch_one(connection, f"refresh/{name}", **bounds, **parameters))

    return refresh(warehouse, name, scope, work)


def _simplest(connection: Connection, scope: RefreshScope) -> RefreshScope:
    """Return all conversations for a backfill in whose window they all started: no need to ask what changed in it."""
    if isinstance(scope, Window) and scope.by_activity:
        span = fetch_one(connection, "refresh/span")
        if span["first_started_at"] and scope.start <= span["first_started_at"] <= span["last_started_at"] < scope.end:
            return ALL_CONVERSATIONS
    return scope


def table_asset(name: str, description: str, deps: Sequence[dg.AssetsDefinition | list[str]]) -> dg.AssetsDefinition:
    """Return the asset that keeps `analytics.<name>` right by `refresh_table`."""

    @daily_asset(name=name, description=description, group_name="links", deps=deps)
    def asset(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[Any]:
        return reported(context, warehouse, name, lambda: refresh_table(warehouse, name, window_of(context)))

    return asset


def reported(
    context: dg.AssetExecutionContext, warehouse: Warehouse, name: str, work: Callable[[], Counts]
) -> dg.MaterializeResult[Any]:
    """Do `work`, log in one line what it did to `analytics.<name>` and how long it took, and return that."""
    started = time.monotonic()
    counts = work()
    context.log.info("%s: %s, %d ms", name, counts, (time.monotonic() - started) * 1000)
    return report(warehouse, f"analytics.{name}", counts, started)


def report(
    warehouse: Warehouse, table: str, counts: Counts, started: float, crew_results: Sequence[CrewResult] = ()
) -> dg.MaterializeResult[Any]:
    """Return the materialization of `table` with what was done since `started` (`time.monotonic()`), and a preview.

    Raises:
        dagster.Failure: there were crews, and every one of them failed.

    """
    failed = [result for result in crew_results if result.error]
    metadata: dict[str, Any] = {
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_deleted": counts.deleted,
        "rows_unchanged": counts.unchanged,
        "milliseconds": round((time.monotonic() - started) * 1000),
        "preview": dg.MetadataValue.md(_preview(warehouse, table)),
    }
    if crew_results:
        metadata["crews_done"] = len(crew_results) - len(failed)
        metadata["crews_failed"] = len(failed)
        metadata["crews"] = dg.MetadataValue.md(_crew_table(crew_results))
    if failed and len(failed) == len(crew_results):
        raise dg.Failure(
            f"all {len(failed)} crews failed; {failed[0].crew.code}: {failed[0].error}", metadata, allow_retries=False
        )
    return dg.MaterializeResult(metadata=metadata)


def _crew_table(results: Sequence[CrewResult]) -> str:
    return markdown(
        [
            {
                "crew": result.crew.code,
                "rows read": result.rows_read,
                **asdict(result.counts),
                "ms": result.milliseconds,
                "result": result.error or result.warning or ("done" if result.caught_up else "to be continued"),
            }
            for result in results
        ]
    )


def _preview(warehouse: Warehouse, table: str) -> str:
    query = sql.SQL("select * from {} limit {}").format(sql.Identifier(*table.split(".")), PREVIEW_ROWS)
    with warehouse.connection() as connection:
        return markdown(connection.execute(query).fetchall())
