"""The classes that `dagster.yaml` configures: storage in PostgreSQL, and a launcher with health checks of workers.

They override private parts of Dagster (`overrides`). On a version that they were not tested with, they stand aside for
its own classes.
"""

import logging
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg
from dagster_postgres import DagsterPostgresStorage

from convo_pipelines.database.addresses import dagster_url

TESTED = "1.13."
"""The Dagster versions that the overrides were tested with."""
EVENTS_OF_MANY_PARTITIONS = {
    "DAGSTER_EVENT_BATCH_SIZE": "1000",  # events are stored together: 15 s, else 165 s
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",  # one plan per asset, not per day: 15 s, else 35 s
}
"""Dagster's settings for runs of many partitions, set by every process that loads the storage.

Measured as the `overrides`.
"""

BACKFILL_SECONDS = 3
"""How often Dagster's daemon looks for backfills, and for what is left of them; by default, every 30."""

_log = logging.getLogger(__name__)


@cache
def is_tested() -> bool:
    """Return whether the overrides were tested with this version of Dagster; if not, warn once."""
    if dg.__version__.startswith(TESTED):
        return True
    _log.warning(
        "convo_pipelines was tested with Dagster %sx, and this is %s: Dagster's own storage and launcher are used. "
        "Runs of many days take longer, and a run whose worker is killed stays in progress until it is cancelled",
        TESTED,
        dg.__version__,
    )
    return False


class Storage(DagsterPostgresStorage):
    """PostgreSQL at DAGSTER_PG_URL, by default a database `dagster` on the server of CONVO_DATABASE_URL."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no options."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> DagsterPostgresStorage:  # noqa: ARG003
        """Return Dagster's storage at that address, with our event log if this version was tested."""
        storage = DagsterPostgresStorage(dagster_url(), inst_data=inst_data)
        if is_tested():
            from convo_pipelines.orchestration.overrides import EventLog

            if daemon := sys.modules.get("dagster._daemon.controller"):  # only that process has imported it
                daemon.__dict__["DEFAULT_DAEMON_INTERVAL_SECONDS"] = BACKFILL_SECONDS

            os.environ.update(EVENTS_OF_MANY_PARTITIONS | os.environ)
            storage._event_log_storage = EventLog(dagster_url())  # pyright: ignore[reportPrivateUsage]
        return storage


class Launcher(dg.DefaultRunLauncher):
    """The default launcher, with health checks of workers if this version of Dagster was tested."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> dg.DefaultRunLauncher:
        """Return ours or Dagster's."""
        if not is_tested():
            return dg.DefaultRunLauncher.from_config_value(inst_data, config_value)
        from convo_pipelines.orchestration.overrides import WatchfulLauncher

        return WatchfulLauncher.from_config_value(inst_data, config_value)
