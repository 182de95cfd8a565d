"""The resource: a small connection pool, transactions that rely on no server default, statements from `sql/`."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from convo_pipelines.databases import database_url
from convo_pipelines.settings import settings
from convo_pipelines.statements import statement

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

POOL_SIZE = 4
MANY_ROWS = 10_000
LOCK_TIMEOUT = "400ms"
"""Less than deadlock_timeout: where a refresh and the application wait for each other, the refresh gives way."""

SESSION = (
    r"-c timezone=UTC -c datestyle=ISO,YMD -c default_transaction_isolation=read\ committed"
    " -c quote_all_identifiers=off -c jit=off -c work_mem=64MB -c parallel_setup_cost=10000"
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


def _configure(connection: Connection) -> None:
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED


@contextmanager
def refreshing(connection: Connection, *lock: str, timeout_seconds: float | None = None) -> Generator[None]:
    """Open a transaction on `connection` in which a refresh reads and writes; wait for the advisory lock of that name.

    The lock is a statement of its own, so that every later statement sees what the holder before has committed. For the
    application's locks it does not wait long.
    No statement takes longer than `timeout_seconds`, by default REFRESH_TIMEOUT_SECONDS.
    """
    seconds = settings().refresh_timeout_seconds if timeout_seconds is None else timeout_seconds
    with connection.transaction():
        fetch(connection, "session/begin", timeout=str(max(1, round(seconds * 1000))))
        fetch(connection, "session/lock", lock=":".join(lock), lock_timeout=LOCK_TIMEOUT)
        yield


def fetch(connection: Connection, name: str, table: str | None = None, **parameters: object) -> list[Row]:
    """Run `sql/<name>.sql` and return its rows.

    Args:
        connection: where to run it.
        name: path under `sql/`, without the ending.
        table: name in schema `app` that takes the place of `{histories}`.
        parameters: values of the statement's named parameters.

    """
    histories = sql.Identifier("app", table) if table else sql.SQL("")
    cursor = connection.execute(statement(name).format(histories=histories), parameters)
    return cursor.fetchall() if cursor.description is not None else []


def fetch_one(connection: Connection, name: str, table: str | None = None, **parameters: object) -> Row:
    """Run `sql/<name>.sql`, which returns exactly one row, and return it; arguments as of `fetch`."""
    [row] = fetch(connection, name, table, **parameters)
    return row
