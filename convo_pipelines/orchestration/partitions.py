"""The one partition axis, UTC days of activity, today included; and the tags of runs."""

from collections.abc import Iterable
from datetime import date
from enum import IntEnum

import dagster as dg

from convo_pipelines.engine.scopes import AFTER_LAST_DAY, FIRST_DAY, Window
from convo_pipelines.orchestration.cells import qualified
from convo_pipelines.orchestration.storage import is_tested
from convo_pipelines.settings import settings

TICK_TAG = "convo_pipelines/tick"
TICK_SECONDS = 3_600
"""A tick that runs for longer is terminated; the next one continues."""


class Priority(IntEnum):
    """Which queued runs are launched first; all others, backfills among them, have priority 0."""

    RECONCILE = 1
    TICK = 2
    HEALTH = 3

    @property
    def tags(self) -> dict[str, str]:
        """The tags of such a run."""
        return {"dagster/priority": str(self.value)}


days = dg.DailyPartitionsDefinition(start_date=settings().partitions_start_date.isoformat(), end_offset=1)


def range_tags(first_day: str, last_day: str) -> dict[str, str]:
    """Return the tags of one run over the partitions from `first_day` to `last_day`, both included (YYYY-MM-DD)."""
    return {"dagster/asset_partition_range_start": first_day, "dagster/asset_partition_range_end": last_day}


def tick_tags(job_name: str) -> dict[str, str]:
    """Return the tags of a tick: a run of today's partition, whichever days have changed."""
    today = days.get_last_partition_key()
    return {
        TICK_TAG: qualified(job_name),
        "dagster/partition": today or "",
        "dagster/max_runtime": str(TICK_SECONDS),
        **Priority.TICK.tags,
    }


def window_of(context: dg.AssetExecutionContext) -> Window:
    """Return the span of a run's partitions; all days for an asset without partitions."""
    if not context.assets_def.partitions_def:
        return Window.of_days(FIRST_DAY, AFTER_LAST_DAY)
    span = context.partition_time_window
    return Window(span.start, span.end)


def keys_in(window: Window) -> list[str]:
    """Return the keys of the partitions in a window; there are none before the first day or after today."""
    last = days.get_last_partition_window()
    start, end = max(window.start, days.start), min(window.end, last.end if last else days.start)
    return list(days.get_partition_keys_in_time_window(dg.TimeWindow(start, end))) if start < end else []


def materialize_days(context: dg.AssetExecutionContext, changed: Iterable[date]) -> None:
    """Report these days of the run's asset as materialized, too, unless they are no partitions or the run's own."""
    own = set(context.partition_keys)
    keys = [key for day in changed if (key := day.isoformat()) not in own and days.has_partition_key(key)]
    materializations = [dg.AssetMaterialization(context.asset_key, partition=key) for key in keys]
    if is_tested():
        from convo_pipelines.orchestration.overrides import log_together

        log_together(context, materializations)
        return
    for materialization in materializations:
        context.log_event(materialization)
