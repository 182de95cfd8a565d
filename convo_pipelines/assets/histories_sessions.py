"""Sessions, discovered from the crews' histories tables."""

import functools
import logging
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines import discovery
from convo_pipelines.assets.common import Scope, daily_asset, report, window_of
from convo_pipelines.discovery import Crew, CrewResult, total
from convo_pipelines.warehouse import Warehouse
from convo_pipelines.windows import Window

TABLE = "analytics.histories_sessions"


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
    results = refresh(warehouse, crews, window_of(context), context.log, config.forget_pruned_days)
    return report(warehouse, TABLE, total(results), started, results)


def refresh(
    warehouse: Warehouse,
    crews: Sequence[Crew],
    window: Window | None,
    log: logging.Logger,
    forget_pruned_days: bool = False,
) -> list[CrewResult]:
    """Make the session-days of a window of whole UTC days right, or, without a window, of all new rows."""
    work = (
        discovery.advance
        if window is None
        else functools.partial(discovery.refresh_window, window=window, forget_pruned_days=forget_pruned_days)
    )
    results = discovery.for_each_crew(warehouse, crews, work, log)
    warehouse.analyze(TABLE, total(results))
    return results
