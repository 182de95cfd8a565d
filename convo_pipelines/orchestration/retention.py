"""Retention: old runs are deleted from Dagster's storage, and every materialized partition stays so."""

import logging
from contextlib import closing
from datetime import datetime

import dagster as dg

from convo_pipelines.database.addresses import dagster_url
from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch
from convo_pipelines.database.warehouse import Warehouse

RUNS_PER_STEP = 500

_log = logging.getLogger(__name__)


def delete_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete finished runs created before a time, with their events and captured output; return their number.

    Runs that hold the newest materialization of a partition, or the newest result of a check, are kept.
    Materializations that were reported without a run are deleted, except the newest of each partition.
    """
    deleted = 0
    with closing(Warehouse(dagster_url())) as storage, storage.connection() as connection:
        while runs := _delete_runs(connection, before):
            for run in runs:
                try:
                    instance.compute_log_manager.delete_logs(prefix=[run["run_id"]])
                except OSError as error:
                    _log.warning("the output of run %s could not be deleted: %s", run["run_id"], error)
            deleted += len(runs)
        with connection.transaction():
            _find_dagsters_tables(connection)
            execute(connection, "orchestration/retention/delete_reported", before=before)
    return deleted


def _delete_runs(connection: Connection, before: datetime) -> list[Row]:
    with connection.transaction():
        _find_dagsters_tables(connection)
        return fetch(connection, "orchestration/retention/delete_runs", before=before, rows=RUNS_PER_STEP)


def _find_dagsters_tables(connection: Connection) -> None:
    """Look Dagster's tables up as Dagster does: in the search path of its role."""
    connection.execute("set local search_path to default")
