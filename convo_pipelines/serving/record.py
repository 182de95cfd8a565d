"""What the webhook and the follower did, recorded for Dagster once a minute."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from threading import Lock

import psycopg
from psycopg.types.json import Jsonb

from convo_pipelines.database.execution import Counts, execute
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.work import Outcome

RECORD_SECONDS = 60


class Record:
    """The work done since it was last written."""

    def __init__(self, warehouse: Warehouse):
        """Start with nothing."""
        self._warehouse = warehouse
        self._lock = Lock()
        self._sessions = 0
        self._counts = defaultdict[str, Counts](Counts)

    def add(self, outcomes: Mapping[str, Outcome], sessions: int = 0) -> None:
        """Add what was done to each table, for so many sessions that were asked for."""
        with self._lock:
            self._sessions += sessions
            for name, outcome in outcomes.items():
                self._counts[name] += outcome.counts

    def write(self) -> None:
        """Write it; if the database fails, it is dropped."""
        with self._lock:
            rows = [
                {"table_name": name, "sessions": self._sessions, **asdict(counts)}
                for name, counts in self._counts.items()
            ]
            self._sessions = 0
            self._counts.clear()
        if rows:
            with suppress(psycopg.Error), self._warehouse.connection() as connection:
                execute(connection, "serving/record/write", work=Jsonb(rows))
