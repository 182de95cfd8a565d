"""Backfills, launched as the UI launches them, and `refresh` as a process: mostly what Dagster makes of them."""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import console, fresh_database
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.orchestration.partitions import days
from convo_pipelines.orchestration.runs import DAILY_ASSETS
from convo_pipelines.sources import sample_data
from convo_pipelines_tests.processes import LAUNCH, STATUS, DagsterDev, ask

SHORT_DAYS = 91
COMMAND = str(Path(sys.executable).with_name("convo-pipelines"))

RUNS = """
query Runs($tags: [ExecutionTag!]) {
  runsOrError(filter: {tags: $tags}) { ... on Runs { results { startTime endTime } } }
}
"""

Row = dict[str, str]


def measure() -> list[Row]:
    """Return a row per backfill of the sample data."""
    keys = list(days.get_partition_keys())
    with fresh_database() as url, fresh_database() as storage, tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(url)
        sample_data.load(warehouse, sample_data.Sizes(), seed=1, end=datetime.now(UTC).date())
        warehouse.close()
        os.environ |= {"DAGSTER_PG_URL": storage, "CONVO_DATABASE_URL": url, "DAGSTER_HOME": folder}
        with DagsterDev(Path(folder), url, storage, ENABLE_BACKGROUND_JOBS="false") as dev:
            rows = [backfill(dev.url, chosen) for chosen in (keys, keys, keys[-SHORT_DAYS:], keys[-SHORT_DAYS:])]
        rows += [refresh() for _ in range(2)]
    return rows


def backfill(url: str, keys: list[str]) -> Row:
    """Return how long the runs of a backfill of all tables took together."""
    selection = [{"path": [asset]} for asset in DAILY_ASSETS]
    params = {"assetSelection": selection, "partitionNames": keys}
    backfill_id = ask(url, LAUNCH, params=params)["launchPartitionBackfill"]["backfillId"]
    while (status := ask(url, STATUS, id=backfill_id)["partitionBackfillOrError"]["status"]) == "REQUESTED":
        time.sleep(1)
    assert status == "COMPLETED_SUCCESS", status
    runs = ask(url, RUNS, tags=[{"key": "dagster/backfill", "value": backfill_id}])["runsOrError"]["results"]
    seconds = sum(run["endTime"] - run["startTime"] for run in runs)
    return _row(f"{len(keys):,} days x {len(selection)} tables, in {len(runs)} runs", seconds)


def refresh() -> Row:
    """Return how long `convo-pipelines refresh` takes for all days of one table, the start of its process included."""
    started = time.perf_counter()
    subprocess.run([COMMAND, "refresh", "project_conversations"], check=True, capture_output=True)
    return _row("`convo-pipelines refresh project_conversations`, all days", time.perf_counter() - started)


def _row(what: str, seconds: float) -> Row:
    row = {"what": what, "time": f"{seconds:.1f} s"}
    console.print(row)
    return row
