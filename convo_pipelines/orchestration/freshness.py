"""Freshness policies: each table is materialized once an hour at least, also when nothing has changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import dagster as dg
from croniter import croniter

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.orchestration.cells import key, name_of
from convo_pipelines.orchestration.metadata import described
from convo_pipelines.orchestration.partitions import days

REPORTED_EVERY = timedelta(hours=1)
OBSERVED_SPAN = timedelta(days=8)
"""Longer than a week, so that a schedule of working days shows its longest pause."""


@cache
def policy(cron: str) -> dg.FreshnessPolicy:
    """Return the policy of tables that a schedule keeps: a warning after one missed time, a failure after two."""
    pause = longest_pause(cron)
    return dg.FreshnessPolicy.time_window(
        warn_window=REPORTED_EVERY + 2 * pause, fail_window=REPORTED_EVERY * 2 + 3 * pause
    )


def longest_pause(cron: str) -> timedelta:
    """Return the longest time between two runs of a schedule in a week, or between the first two if it is longer."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times, moments = croniter(cron, start), list[datetime]()
    while len(moments) < 2 or moments[-1] < start + OBSERVED_SPAN:
        moments.append(times.get_next(datetime))
    return max(after - before for before, after in pairwise(moments))


def materialized_at(instance: dg.DagsterInstance, tables: Sequence[DerivedTable]) -> dict[str, datetime]:
    """Return when tables were last materialized (UTC), those that Dagster's storage knows; others may be built, too."""
    records = instance.get_asset_records([key(table.name) for table in tables])
    return {
        name_of(entry.asset_key): datetime.fromtimestamp(entry.last_materialization.timestamp, UTC)
        for entry in (record.asset_entry for record in records)
        if entry.last_materialization
    }


def report_unchanged(instance: dg.DagsterInstance, warehouse: Warehouse, table: DerivedTable) -> None:
    """Report a table in which nothing has changed as materialized."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            key(table.name),
            description="Nothing has changed since the last tick.",
            partition=days.get_last_partition_key() if table.grain.has_days else None,
            metadata=described(warehouse, table),
        )
    )
