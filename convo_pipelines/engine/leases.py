"""Leases: who may run the ticks of tables. A follower yields them to whoever asks."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from uuid import uuid4

import psycopg

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_prepared, run_prepared
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log
from convo_pipelines.engine.change_log import process
from convo_pipelines.engine.registry import DerivedTable

LEASE_SECONDS, RENEW_SECONDS = 60, 10
WANTED_SECONDS, YIELD_SECONDS, POLL_SECONDS = 5, 10, 0.1
"""How long a lease stays wanted, how long a follower is waited for, and how often it is tried."""
NO_LEASES = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)
"""Ignored when followers are paused: lease columns are missing, or may not be written."""
FOLLOWER = "follower "

_log = logging.getLogger(__name__)


@dataclass
class Lease:
    """The right to run the ticks of tables. It expires unless it is renewed; then others may take it.

    Attributes:
        warehouse: the database.
        tables: their names.
        holder: who holds it.
        check: called with the open transaction of each chunk; raises an error if the work is to be given up.
        renewed: when it was renewed, by `time.monotonic()`.

    """

    warehouse: Warehouse
    tables: Sequence[str]
    holder: str = field(default_factory=lambda: f"{process()}:{uuid4().hex[:8]}")
    check: Callable[[Connection], object] = lambda _connection: None
    renewed: float = 0.0

    def take(self) -> list[str]:
        """Take it; return the tables whose lease no other process holds. Their watermarks must have been read."""
        with self.warehouse.connection() as connection:
            return self._write(connection, is_start=True)

    def renew(self, connection: Connection) -> None:
        """Renew it in a chunk's transaction, if it has not been renewed for a while."""
        self.check(connection)
        if time.monotonic() - self.renewed > RENEW_SECONDS:
            self._write(connection, is_start=False)

    def want(self, seconds: float = WANTED_SECONDS) -> None:
        """Ask for it for so many seconds: a follower yields it."""
        with self.warehouse.connection() as connection:
            execute(connection, "engine/leases/want", asset_keys=list(self.tables), seconds=seconds)

    def end(self) -> None:
        """Release it."""
        with self.warehouse.connection() as connection:
            run_prepared(connection, "engine/leases/end", asset_keys=list(self.tables), holder=self.holder)

    def _write(self, connection: Connection, *, is_start: bool) -> list[str]:
        self.renewed = time.monotonic()
        taken = fetch_prepared(
            connection,
            "engine/leases/take",
            asset_keys=list(self.tables),
            holder=self.holder,
            seconds=LEASE_SECONDS,
            is_start=is_start,
        )
        return [row["asset_key"] for row in taken]


@contextmanager
def hold(warehouse: Warehouse, tables: Sequence[DerivedTable], wait_seconds: float = 0) -> Generator[Lease]:
    """Hold the leases of tables' ticks, except for those that other processes hold.

    A follower is asked for them, and waited for; any other process for `wait_seconds`.
    """
    missing = [table.name for table in tables]
    mine = Lease(warehouse, [])
    started = time.monotonic()
    with warehouse.connection() as connection:
        change_log.watermarks(connection, tables)  # they may have no row yet
    try:
        while missing:
            asked = replace(mine, tables=missing)
            taken = asked.take()
            mine.tables = [*mine.tables, *taken]
            mine.renewed = asked.renewed
            missing = [name for name in missing if name not in taken]
            with warehouse.connection() as connection:
                held = [row["holder"] for row in in_force(connection, missing)] if missing else []
            seconds = max(wait_seconds, YIELD_SECONDS if any(map(is_follower, held)) else 0)
            if held and time.monotonic() - started >= seconds:
                break
            if held:
                replace(mine, tables=missing).want()
                time.sleep(POLL_SECONDS)
        yield mine
    finally:
        try:
            mine.end()
        except psycopg.Error:  # the database is not reachable: the leases expire
            _log.warning("the leases could not be released; they expire within a minute")


@contextmanager
def followers_paused(warehouse: Warehouse, tables: Iterable[DerivedTable]) -> Generator[None]:
    """Have followers yield the leases of tables for up to a minute; a schema that knows no followers has none."""
    asked = Lease(warehouse, [table.name for table in tables])
    started = time.monotonic()
    with suppress(*NO_LEASES):
        asked.want(LEASE_SECONDS)
        with warehouse.connection() as connection:
            while time.monotonic() - started < YIELD_SECONDS and any(
                is_follower(lease["holder"]) for lease in in_force(connection, asked.tables)
            ):
                time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        with suppress(*NO_LEASES):
            asked.want(0)


def is_follower(holder: str) -> bool:
    """Whether the holder of a lease is a `follow` process."""
    return holder.startswith(FOLLOWER)


def follower_of(leases: Iterable[Row]) -> str | None:
    """Return the `HOST:PID` of the follower that holds one of the leases, or None."""
    followers = (lease["holder"] for lease in leases if is_follower(lease["holder"]))
    return next((holder.removeprefix(FOLLOWER).rpartition(":")[0] for holder in followers), None)


def in_force(connection: Connection, names: Sequence[str]) -> list[Row]:
    """Return the leases in force on tables with these names: asset_key, holder, until."""
    return fetch(connection, "engine/leases/in_force", asset_keys=list(names))
