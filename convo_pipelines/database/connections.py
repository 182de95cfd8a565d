"""Connections with settings of their own, whatever the server's defaults are, also through a pooler."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import Transaction
from psycopg.abc import Buffer, Params, PQGen, QueryNoTemplate
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, scalar_row
from psycopg.types.datetime import TimestamptzLoader

from convo_pipelines.database.statements import statement
from convo_pipelines.settings import settings

Row = dict[str, Any]
Returned = TypeVar("Returned")

LOCK_SECONDS = 10
"""The lock timeout of checks, reports and commands."""
CANCEL_SECONDS = 5
IDLE_SECONDS = 30
"""How long a transaction may be idle, because its process is frozen or cut off: less than a lease."""
OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "application_name": "convo_pipelines",
    "client_encoding": "utf8",
}
"""What a lent connection is opened with."""


class Connection(psycopg.Connection[Row]):
    """A connection whose statement ends with the program that waits for it, whatever interrupts that.

    psycopg cancels a statement on KeyboardInterrupt and SystemExit only, not on what Dagster raises to cancel a run.
    """

    is_pooled = False
    """Whether a pooler is in between, which may run each transaction on another session of the server."""
    _is_interrupted = False

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Generator[Transaction]:
        """Open a transaction, or a savepoint in one; functions and operators are PostgreSQL's own, or qualified."""
        is_outermost = self.info.transaction_status is TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as opened:
            if self.is_pooled and is_outermost:
                super().execute("set local search_path = ''")
            yield opened

    def execute(  # pyright: ignore[reportIncompatibleMethodOverride] - one of its two overloads
        self,
        query: QueryNoTemplate,
        params: Params | None = None,
        *,
        prepare: bool | None = False,
        binary: bool = False,
    ) -> psycopg.Cursor[Row]:
        """Execute a query, by default unprepared: a plan depends on the scope."""
        if self.is_pooled and self.info.transaction_status is TransactionStatus.IDLE:
            with self.transaction():
                super().execute(statement("database/session/settings"), session_settings(is_local=True))
                return super().execute(query, params, prepare=prepare, binary=binary)
        return super().execute(query, params, prepare=prepare, binary=binary)

    def execute_alone(self, command: QueryNoTemplate) -> None:
        """Execute a command that cannot run in a transaction, such as VACUUM."""
        super().execute(command)

    def interrupt(self) -> None:
        """Cancel the statement of another thread, and end that: there, and at every later one, SystemExit is raised."""
        self._is_interrupted = True
        self._cancel()

    def wait(self, gen: PQGen[Returned], *arguments: Any, **options: Any) -> Returned:
        """Wait for the server; on an interrupt, cancel the statement and close the connection."""
        try:
            if self._is_interrupted:
                raise SystemExit
            return super().wait(gen, *arguments, **options)
        except Exception:
            if not self._is_interrupted:
                raise
            self.close()
            raise SystemExit from None
        except BaseException:
            self._cancel()
            self.close()
            raise

    def _cancel(self) -> None:
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_SECONDS)


def open_connection(url: str) -> Connection:
    """Open a connection like those that a warehouse lends: in autocommit mode, with the settings of our sessions."""
    connection = Connection.connect(url, **OPTIONS)
    configure_lent(connection)
    return connection


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """Open a connection of its own, with the settings of our sessions, in a transaction that has begun.

    Behind a pooler they are those of this transaction only: others use the session after it.
    """
    connection = psycopg.connect(url, client_encoding="utf8", **options)
    _configure_client(connection)
    if is_pooled(connection):
        configure_transaction(connection)
    else:
        _configure_session(connection)
    return connection


def configure(connection: psycopg.Connection[Any]) -> None:
    """Make the settings of a session: not as startup parameters, which connection poolers do not allow."""
    _configure_client(connection)
    _configure_session(connection)


def configure_transaction(connection: psycopg.Connection[Any]) -> None:
    """Make the same settings for the open transaction."""
    connection.execute("set local search_path = ''")
    connection.execute(statement("database/session/settings"), session_settings(is_local=True))


def session_settings(*, is_local: bool = False) -> dict[str, object]:
    """Return the parameters of `settings` in `sql/database/session.sql`."""
    return {
        "timeout": f"{settings().refresh_timeout_seconds}s",
        "idle_timeout": f"{IDLE_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "is_local": is_local,
    }


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler is in between: then the session is not the one that the connection began with."""
    cursor = connection.cursor(row_factory=scalar_row)
    return cursor.execute("select pg_catalog.pg_backend_pid()").fetchall() != [connection.info.backend_pid]


class _AnyTime(TimestamptzLoader):
    """Reads a time that Python cannot hold, such as infinity, as its text."""

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def _configure_session(connection: psycopg.Connection[Any]) -> None:
    """Make the settings; the search path is empty before anything else is called, so that nothing of others is."""
    connection.execute("set search_path = ''")
    connection.execute("set statement_timeout = 0")  # the database's default may be too short for the next statement
    connection.execute(statement("database/session/settings"), session_settings())


def _configure_client(connection: psycopg.Connection[Any]) -> None:
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    connection.adapters.register_loader("timestamptz", _AnyTime)


def configure_lent(connection: Connection) -> None:
    """Make the settings of a session, or note that a pooler is in between: then each transaction makes them."""
    if is_pooled(connection):
        _configure_client(connection)
        connection.is_pooled = True
        connection.prepare_threshold = None  # the pooler may not know prepared statements
    else:
        configure(connection)
