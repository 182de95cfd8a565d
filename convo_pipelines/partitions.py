"""The one partition axis: UTC days of activity, today included."""

import dagster as dg

from convo_pipelines.settings import settings

TICK_TAG = "convo_pipelines/tick"

days = dg.DailyPartitionsDefinition(start_date=settings().partitions_start_date.isoformat(), end_offset=1)


def range_tags(first_day: str, last_day: str) -> dict[str, str]:
    """Return the tags of one run over the partitions from `first_day` to `last_day`, both included (YYYY-MM-DD)."""
    return {"dagster/asset_partition_range_start": first_day, "dagster/asset_partition_range_end": last_day}
