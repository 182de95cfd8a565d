"""The size of chunks: half a second of work each, or more of everything, of which locks are held for much less."""

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, execute
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.transactions import LOCK_TIMEOUT
from convo_pipelines.settings import settings

SMALLEST_CHUNK, LARGEST_CHUNK = 100, 100_000
CHUNK_SECONDS = 0.5
SHORT_LOCK_TIMEOUT = "10ms"
WRITE_SECONDS = 0.6
"""How long a chunk may write, and so hold locks; with LOCK_TIMEOUT, less than deadlock_timeout."""
ATTEMPTS = 5

_log = logging.getLogger(__name__)


class TooSlowError(Exception):
    """Writing a chunk would hold its locks for too long."""


@dataclass
class ChunkSize:
    """The number of keys of the next chunk, so that it takes about `seconds` and holds its locks for much less.

    A chunk that waits for a lock is divided until only the locked key is left, which is left for the next tick.
    """

    rows: int
    seconds: float = CHUNK_SECONDS
    is_left_out: bool = False
    choosing: float = 0.0
    refreshing: float = 0.0
    writing: float = 0.0
    began_writing: float = 0.0
    attempts: int = 0

    @property
    def lock_timeout(self) -> str:
        """How long a statement may wait for a lock: less for small chunks, of which there may be many."""
        return LOCK_TIMEOUT if self.rows > SMALLEST_CHUNK else SHORT_LOCK_TIMEOUT

    @property
    def seconds_left(self) -> float | None:
        """How long the chunk may continue to write; None: a single key has no limit.

        Raises:
            TooSlowError: the time is over.

        """
        if self.rows == 1:
            return None
        left = WRITE_SECONDS - (time.monotonic() - self.began_writing)
        if left <= 0.001:
            raise TooSlowError(f"{self.rows} keys cannot be written within {WRITE_SECONDS} s")
        return left

    def limit(self, connection: Connection) -> None:
        """Limit the next statements of a transaction to the rest of the time for which locks may be held.

        Raises:
            TooSlowError: that time is over.

        """
        seconds = self.seconds_left or settings().refresh_timeout_seconds
        timeout = str(round(seconds * 1000))
        execute(connection, "database/session/limit", timeout=timeout, lock_timeout=self.lock_timeout)

    @contextmanager
    def choose(self) -> Generator[None]:
        """Measure how long it takes to choose the keys; reset the other times."""
        started = time.monotonic()
        self.refreshing = self.writing = 0.0
        yield
        self.choosing = time.monotonic() - started

    @contextmanager
    def refresh(self) -> Generator[None]:
        """Measure how long it takes to compare and write them."""
        started = time.monotonic()
        yield
        self.refreshing += time.monotonic() - started

    @contextmanager
    def write(self) -> Generator[None]:
        """Measure how long locks are held.

        Raises:
            TooSlowError: for too long.

        """
        self.began_writing = time.monotonic()
        try:
            yield
        except psycopg.errors.QueryCanceled:
            if self.rows == 1:
                raise
            raise TooSlowError(f"{self.rows} keys cannot be written within {WRITE_SECONDS} s") from None
        self.writing = time.monotonic() - self.began_writing

    def grow(self) -> None:
        """Choose the next size after a chunk that succeeded; refreshing should take longer than choosing the keys."""
        if self.is_left_out:  # the next key may be locked, too
            self.is_left_out, self.attempts = False, 0
            return
        pace = max(self.seconds, 2 * self.choosing) / max(self.refreshing, 0.001)
        factor = min(2.0, max(0.25, min(pace, WRITE_SECONDS / 2 / max(self.writing, 0.001))))
        smallest = min(SMALLEST_CHUNK, 2 * self.rows)
        self.rows = max(smallest, min(LARGEST_CHUNK, int(self.rows * factor)))
        self.attempts = 0

    def back_off(self, error: Exception) -> None:
        """Choose the size for a retry after `error`.

        Raises:
            TableLockedError: a whole table was locked at several attempts.

        """
        self.attempts += 1
        if isinstance(error, TableLockedError):
            if self.attempts >= ATTEMPTS:
                raise error
            time.sleep(0.05 * self.attempts)
        elif self.rows == 1:
            if self.is_left_out:
                raise error
            self.is_left_out = True
        else:
            self.rows = max(1, self.rows // 8)
        _log.info("retrying a chunk: %s", error_message(error))
