"""What `dagster.yaml` names: Dagster's own storage, and a launcher that notices when a run's worker is gone."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import grpc
import sqlalchemy as sa
from dagster import AssetKey, DagsterEventType, DagsterRun, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.config import PostgresStorageConfig
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClassData, deserialize_value
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage

from convo_pipelines.database.addresses import dagster_url

PROCESS_TAG = "convo_pipelines/process"
EVENTS_OF_MANY_PARTITIONS = {
    "DAGSTER_EVENT_BATCH_SIZE": "1000",  # events are stored together
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",  # one event of all partitions of an asset, not one each
}
"""What Dagster reads from the environment of each process, all of which load its storage; without it a run of a year's
partitions takes minutes."""


class EventLog(PostgresEventLogStorage):
    """Dagster's event log, made fit for runs of thousands of partitions.

    A check of a whole table is planned once, however many partitions its run has: Dagster plans it for each of them,
    and evaluates it once; the others would take their time, and stay planned. Partitions that were planned by one event
    for all of them are shown as failed, or in progress, too. And a connection is kept, in place of one for each event.
    """

    def __init__(self, url: str):
        """Connect to `url`; creates the tables if they are missing."""
        super().__init__(url)
        self._engine = sa.create_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True
        )

    def dispose(self) -> None:
        """Close the connection."""
        super().dispose()
        self._engine.dispose()

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:  # noqa: ARG002
        """Say that a column is there, as it has long been, in place of looking it up for each asset and check."""
        return True

    def store_asset_check_event(self, event: EventLogEntry, event_id: int | None) -> None:
        """Store what became of a check, or that it is planned."""
        what = event.get_dagster_event().event_specific_data if event.is_dagster_event else None
        if isinstance(what, AssetCheckEvaluationPlanned):
            once = AssetCheckEvaluationPlanned(asset_key=what.asset_key, check_name=what.check_name)
            event = event._replace(dagster_event=event.get_dagster_event()._replace(event_specific_data=once))
        super().store_asset_check_event(event, event_id)

    def get_latest_asset_partition_materialization_attempts_without_materializations(
        self, asset_key: AssetKey, after_storage_id: int | None = None
    ) -> Mapping[str, tuple[str, int]]:
        """Return the partitions that were planned after an event, and not materialized since: to run and event."""
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
                what = deserialize_value(event, EventLogEntry).get_dagster_event().asset_materialization_planned_data
                partitions = what.partitions_subset.get_partition_keys() if what.partitions_subset else ()
                attempts |= {key: (run_id, event_id) for key in partitions if done.get(key, 0) < event_id}
        return attempts


class Storage(DagsterPostgresStorage):
    """PostgreSQL, at the address that the environment or the embedded server gives: no variable has to be set."""

    def __init__(self, url: str, inst_data: ConfigurableClassData | None):
        """Connect to `url`; creates Dagster's tables if they are missing."""
        super().__init__(url, inst_data=inst_data)
        self._event_log_storage = EventLog(url)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: PostgresStorageConfig,  # noqa: ARG003
    ) -> "Storage":
        """Return the storage at `DAGSTER_PG_URL`, by default a database `dagster` beside ours."""
        os.environ.update(EVENTS_OF_MANY_PARTITIONS | os.environ)
        return cls(dagster_url(), inst_data)


class Launcher(DefaultRunLauncher):
    """The default launcher, but asked by run monitoring whether the code server still has the run's process.

    A run whose worker or whose server was killed is marked failed within a poll of run monitoring: no slot of the
    queue stays taken, and nothing waits for it.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run; of one that a command runs itself, look for its process."""
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:  # a run that is executed again has the tags of the first, but was launched
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


def process_tags() -> dict[str, str]:
    """Return the tags by which a run that this process executes is told from one whose process is gone."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
