"""Workers: threads that do parts of one refresh at the same time, each on a connection of its own."""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from threading import Lock
from typing import TypeVar

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.settings import settings

LOG_SECONDS = 10
"""How often the progress of a refresh is logged."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """REFRESH_WORKERS threads. What interrupts the thread that waits for them interrupts their statements, too."""

    def __init__(self, warehouse: Warehouse):
        """Let the workers connect to `warehouse`."""
        self._warehouse = warehouse
        self._lent, self._lending = set[Connection](), Lock()

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """Lend a connection to a worker."""
        with self._warehouse.connection() as connection:
            with self._lending:
                self._lent.add(connection)
            try:
                yield connection
            finally:
                with self._lending:
                    self._lent.remove(connection)

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return the result of `work` for each item; an error ends the work on all of them."""
        if len(items) == 1:
            return [work(items[0])]
        with ThreadPoolExecutor(settings().refresh_workers) as pool:
            done = [pool.submit(copy_context().run, work, item) for item in items]
            try:
                return [result.result() for result in done]
            except BaseException:
                at_work = [result for result in done if not result.cancel()]
                while wait(at_work, timeout=0.1).not_done:
                    with self._lending:
                        for connection in self._lent:
                            connection.interrupt()
                raise


class Estimate:
    """Logs how much of a refresh all workers have done together, and about how long the rest takes."""

    def __init__(self, name: str, parts: int):
        """Begin with none of so many parts, which take about as long as each other."""
        self._name, self._parts, self._done = name, parts, 0
        self._started = self._logged = time.monotonic()
        self._counting = Lock()

    def advance(self) -> None:
        """Count a part as done; called by any thread."""
        with self._counting:
            self._done += 1
            now = time.monotonic()
            if now < self._logged + LOG_SECONDS or self._done == self._parts:
                return
            self._logged = now
            left = (now - self._started) / self._done * (self._parts - self._done)
            _log.info("%s: %d %% done, about %d s left", self._name, 100 * self._done / self._parts, left)
