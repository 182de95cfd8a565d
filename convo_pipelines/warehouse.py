"""The resource: a small connection pool, transactions that rely on no server default, statements from `sql/`."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.rows import dict_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool

from convo_pipelines.databases import database_url
from convo_pipelines.settings import settings
from convo_pipelines.statements import statement

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

POOL_SIZE = 4
MANY_ROWS = 10_000
LOCK_TIMEOUT = "100ms"
"""Much less than deadlock_timeout: where a refresh and the application wait for each other, the refresh gives way."""

PASSING_ERRORS = (
    psycopg.errors.ForeignKeyViolation,  # the application deleted a row under our hands
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)
"""What passes by itself: the application, or another refresh, was in the way."""

SESSION = (
    r"-c timezone=UTC -c datestyle=ISO,YMD -c default_transaction_isolation=read\ committed -c lock_timeout=0"
    " -c default_transaction_read_only=off -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c quote_all_identifiers=off -c synchronous_commit=off -c jit=off -c work_mem=64MB -c parallel_setup_cost=10000"
)
"""Settings of every session: what statements rely on, whatever the database's or the role's defaults; and compiling,
sorting on disk and starting workers cost more than a tick's statements."""


@dataclass(frozen=True)
class Counts:
    """What a refresh did to the rows of its table."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add two refreshes up."""
        return Counts(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.unchanged + other.unchanged,
        )

    @property
    def changed(self) -> int:
        """Rows that were not right."""
        return self.inserted + self.updated + self.deleted

    @property
    def total(self) -> int:
        """Rows looked at."""
        return self.changed + self.unchanged


class Warehouse:
    """The database with `app` and `analytics`. Sessions run in UTC and commit by themselves unless in a transaction."""

    def __init__(self, url: str | None = None):
        """Connect to `url`, a postgresql:// URL, at first use; by default to the database the environment names."""
        self._url = url

    @cached_property
    def _pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self._url or database_url(),
            connection_class=psycopg.Connection[Row],
            min_size=0,
            max_size=POOL_SIZE + 1,
            open=True,
            configure=_configure,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": None,  # plans depend on the scope: never a generic one
                "application_name": "convo_pipelines",
                "client_encoding": "utf8",
                "options": SESSION,
            },
        )

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """Lend a connection in autocommit mode."""
        with self._pool.connection() as connection:
            yield connection

    def analyze(self, table: str, counts: Counts) -> None:
        """Renew the planner's statistics of `schema.table` after a large change: autovacuum comes a minute later."""
        if counts.changed >= MANY_ROWS:
            with self.connection() as connection:
                connection.execute(sql.SQL("analyze {}").format(sql.Identifier(*table.split("."))))


class _AnyTime(TimestamptzLoader):
    """Reads a time that Python cannot hold, such as infinity, as its text."""

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def _configure(connection: Connection) -> None:
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    connection.adapters.register_loader("timestamptz", _AnyTime)
    if connection.info.server_version >= 170000:
        connection.execute("set transaction_timeout = 0")


class TableLockedError(Exception):
    """Somebody holds a lock on a whole table that is to be read; the message names it and the remedy."""


@contextmanager
def transaction(connection: Connection, timeout_seconds: float | None = None) -> Generator[None]:
    """Open a transaction on `connection` that relies on no default and waits for no lock of the application for long.

    No statement takes longer than `timeout_seconds`, by default REFRESH_TIMEOUT_SECONDS.
    """
    with connection.transaction():
        begin(connection, timeout_seconds, LOCK_TIMEOUT)
        yield


@contextmanager
def refreshing(
    connection: Connection, locks: Sequence[str], tables: Sequence[str], timeout_seconds: float | None = None
) -> Generator[None]:
    """Open a transaction in which a refresh reads `tables` of app and writes, under the advisory locks of these names.

    It waits for other refreshes, but not long for the application; and only while it holds no lock of a table yet. Each
    lock is taken by a statement of its own, so that every later statement sees what the holder before has committed.

    Raises:
        TableLockedError: somebody holds a lock on one of the tables.

    """
    with connection.transaction():
        begin(connection, timeout_seconds, "0")
        fetch(connection, "session/lock", locks=list(locks), lock_timeout=LOCK_TIMEOUT)
        names = sql.SQL(", ").join(sql.Identifier("app", table) for table in tables)
        try:
            connection.execute(sql.SQL("lock table {} in access share mode").format(names))
        except psycopg.errors.LockNotAvailable:
            raise TableLockedError(
                f"somebody holds a lock on app.{' or app.'.join(tables)}; see pg_locks, end that transaction"
            ) from None
        yield


def begin(connection: Connection, timeout_seconds: float | None, lock_timeout: str) -> None:
    """Set what the statements of the open transaction rely on."""
    seconds = settings().refresh_timeout_seconds if timeout_seconds is None else timeout_seconds
    fetch(connection, "session/begin", timeout=str(max(1, round(seconds * 1000))), lock_timeout=lock_timeout)


Identifiers = Mapping[str, sql.Composable]


def histories(table: str) -> Identifiers:
    """Return what takes the place of `{histories}`: a table in schema `app`."""
    return {"histories": sql.Identifier("app", table)}


def fetch(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> list[Row]:
    """Run `sql/<name>.sql` and return its rows.

    Args:
        connection: where to run it.
        name: path under `sql/`, without the ending.
        identifiers: what takes the place of its `{placeholders}`.
        parameters: values of its named parameters.

    """
    cursor = connection.execute(statement(name).format(**(identifiers or {})), parameters)
    return cursor.fetchall() if cursor.description is not None else []


def fetch_one(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> Row:
    """Run `sql/<name>.sql`, which returns exactly one row, and return it; arguments as of `fetch`."""
    [row] = fetch(connection, name, identifiers, **parameters)
    return row
