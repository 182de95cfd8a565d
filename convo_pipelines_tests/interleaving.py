"""Two runs of the pipeline, interleaved at statement boundaries that the test chooses."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.warehouse import Warehouse

BLOCKED_SECONDS = 0.02
GATES: dict[int, "Gate"] = {}
EXECUTE = psycopg.Connection.execute


def _gated(connection: psycopg.Connection[Any], *arguments: Any, **options: Any) -> Any:
    if gate := GATES.get(id(connection)):
        gate.pass_through()
    return EXECUTE(connection, *arguments, **options)


class Gate:
    """Lets the statements of one run through, one by one, until it is opened."""

    def __init__(self) -> None:
        self.permits, self.is_open = threading.Semaphore(0), False
        self.arrived = threading.Event()

    def pass_through(self) -> None:
        if not self.is_open:
            self.arrived.set()
            self.permits.acquire()

    def let_one_through(self) -> None:
        """Wait for the next statement, but not for one that waits for a lock, and let it through."""
        if not self.is_open and self.arrived.wait(BLOCKED_SECONDS):
            self.arrived.clear()
            self.permits.release()
            self.arrived.wait(BLOCKED_SECONDS)

    def open(self) -> None:
        self.is_open = True
        for _ in range(1_000):
            self.permits.release()


class GatedWarehouse(Warehouse):
    gate: Gate

    @contextmanager
    def connection(self) -> Generator[Connection]:
        with super().connection() as connection:
            GATES[id(connection)] = self.gate
            try:
                yield connection
            finally:
                del GATES[id(connection)]


def interleave(
    url: str,
    runs: Sequence[Callable[[Warehouse], object]],
    turns: Sequence[int],
    write: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Start `runs`, let the one that each turn names do its next statement, or `write`; then let all end."""
    monkeypatch.setattr(psycopg.Connection, "execute", _gated)
    failures: list[BaseException] = []
    warehouses, threads = [], []
    for run in runs:
        warehouse = GatedWarehouse(url)
        warehouse.gate = Gate()
        warehouses.append(warehouse)

        def guarded(run: Callable[[Warehouse], object] = run, warehouse: Warehouse = warehouse) -> None:
            try:
                run(warehouse)
            except BaseException as failure:
                failures.append(failure)
            finally:
                warehouse.gate.open()

        threads.append(threading.Thread(target=guarded))
        threads[-1].start()
    for turn in turns:
        if turn < len(runs):
            warehouses[turn].gate.let_one_through()
        else:
            write()
    for warehouse in warehouses:
        warehouse.gate.open()
    for thread in threads:
        thread.join()
    for warehouse in warehouses:
        warehouse.close()
    monkeypatch.undo()
    if failures:
        raise failures[0]


def write_before(text: str, write: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `write` done once, before the first statement with this text."""
    waiting = [write]

    def execute(connection: psycopg.Connection[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        if waiting and text in (query if isinstance(query, str) else str(query)):
            waiting.pop()()
        return EXECUTE(connection, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
