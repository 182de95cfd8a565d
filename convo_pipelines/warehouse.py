"""The resource: a small connection pool, transactions under an advisory lock, statements from `sql/`."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from convo_pipelines.databases import database_url
from convo_pipelines.statements import statement

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

POOL_SIZE = 4
MANY_ROWS = 10_000
REFRESHER = "convo_pipelines refresh"
"""application_name of the sessions that refresh: they never write a histories table, so ticks need not wait for them"""

SESSION = "-c timezone=UTC -c jit=off -c work_mem=64MB -c parallel_setup_cost=10000"
"""Settings of every session: compiling, sorting on disk and starting workers cost more than a tick's statements."""


@dataclass(frozen=True)
class Counts:
    """What a refresh did to the rows of its table."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add two refreshes up."""
        return Counts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        """Rows looked at."""
        return sum(astuple(self))


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
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": None,  # plans depend on the window: never a generic one
                "application_name": REFRESHER,
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

    @contextmanager
    def source_connection(self) -> Generator[Connection]:
        """Lend a connection that may write source tables: ticks wait for its transactions as for any other's."""
        url = self._url or database_url()
        with psycopg.Connection[Row].connect(
            url,
            autocommit=True,
            row_factory=dict_row,
            application_name="convo_pipelines source",
            options=SESSION,
        ) as connection:
            yield connection

    def analyze(self, table: str, counts: Counts) -> None:
        """Renew the planner's statistics of `schema.table` after a large change: autovacuum comes a minute later."""
        if counts.total - counts.unchanged >= MANY_ROWS:
            with self.connection() as connection:
                connection.execute(sql.SQL("analyze {}").format(sql.Identifier(*table.split("."))))

    @contextmanager
    def locked(self, *lock: str) -> Generator[Connection]:
        """Lend a connection inside a transaction that alone holds the advisory lock of that name."""
        with self.connection() as connection, locked(connection, *lock):
            yield connection


@contextmanager
def locked(connection: Connection, *lock: str) -> Generator[None]:
    """Open a transaction on `connection` and wait in it for the advisory lock of that name."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [":".join(lock)])
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
