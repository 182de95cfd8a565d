"""Retention: what Dagster stored of old runs goes, and no materialized partition turns missing."""

import logging
from contextlib import closing
from datetime import datetime

import dagster as dg

from convo_pipelines.database.addresses import dagster_url
from convo_pipelines.database.warehouse import Warehouse, execute, fetch

RUNS_A_STEP = 500

_log = logging.getLogger(__name__)


def forget_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete finished runs that were created before a time, with their events and captured output; return how many.

    Those that hold the newest materialization of a partition, or the newest result of a check, are kept. Likewise
    materializations that were reported without a run go, but for each partition's newest.
    """
    forgotten = 0
    with closing(Warehouse(dagster_url())) as storage, storage.connection() as connection:
        while runs := fetch(connection, "orchestration/retention/forget", before=before, rows=RUNS_A_STEP):
            for run in runs:
                try:
                    instance.compute_log_manager.delete_logs(prefix=[run["run_id"]])
                except OSError as error:
                    _log.warning("the output of run %s could not be deleted: %s", run["run_id"], error)
            forgotten += len(runs)
        execute(connection, "orchestration/retention/forget_reported", before=before)
    return forgotten
