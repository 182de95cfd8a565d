"""Sessions, discovered from the crews' histories tables."""

import functools
import time
from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines import discovery
from convo_pipelines.assets.common import Scope, daily_asset, report
from convo_pipelines.partitions import is_tick
from convo_pipelines.warehouse import Counts, Warehouse
from convo_pipelines.windows import Window


class HistoriesScope(Scope):
    """A backfill's crews, and what it does to days that were pruned from their histories tables."""

    forget_pruned_days: bool = Field(
        default=False,
        description="Delete the rows of days whose messages were pruned from the histories tables; else they are kept.",
    )


@daily_asset(group_name="sessions", deps=[["app", "crews"]])
def histories_sessions(
    context: dg.AssetExecutionContext, config: HistoriesScope, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """One row per crew, session and UTC day with messages: counts and times, as partial aggregates."""
    started = time.monotonic()
    with warehouse.connection() as connection:
        crews = discovery.crews(connection, config.crews)
    work = (
        discovery.advance
        if is_tick(context)
        else functools.partial(
            discovery.refresh_window, window=Window.of(context), forget_pruned_days=config.forget_pruned_days
        )
    )
    results = discovery.for_each_crew(warehouse, crews, work, context.log)
    counts = sum((result.counts for result in results), Counts())
    return report(warehouse, "analytics.histories_sessions", counts, started, results)
