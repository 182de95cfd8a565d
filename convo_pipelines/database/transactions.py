"""Transactions with timeouts and advisory locks of their own."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import IDLE_SECONDS, Connection
from convo_pipelines.database.execution import run_prepared
from convo_pipelines.database.locks import TableLockedError, blockers_of
from convo_pipelines.settings import settings

WAIT_SECONDS = 60
"""How long a refresh waits for another refresh of the same rows: longer than that may be idle."""
LOCK_TIMEOUT = "100ms"
"""The lock timeout of refreshes: much less than deadlock_timeout, so that in a deadlock the refresh backs off."""
PASSING_ERRORS = (
    psycopg.errors.ForeignKeyViolation,  # the application deleted a row meanwhile
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)
"""Transient errors, caused by concurrent transactions of the application or of another refresh: a retry succeeds."""


@contextmanager
def transaction(connection: Connection, timeout_seconds: float | None = None) -> Generator[None]:
    """Open a transaction on `connection` with settings of its own, and LOCK_TIMEOUT.

    No statement takes longer than `timeout_seconds`, by default REFRESH_TIMEOUT_SECONDS.
    """
    with connection.transaction():
        begin(connection, timeout_seconds, LOCK_TIMEOUT)
        yield


@contextmanager
def refreshing(
    connection: Connection,
    locks: Sequence[str],
    tables: Sequence[str],
    timeout_seconds: float | None = None,
    *,
    is_shared: bool = False,
) -> Generator[None]:
    """Open a transaction of a refresh that reads `tables` of app, with the advisory locks of these names.

    `is_shared`: other refreshes that share the locks run at the same time, on other keys.

    It waits for other refreshes before it holds any lock of a table, for WAIT_SECONDS; for the application, with
    LOCK_TIMEOUT. Locks are taken by statements of their own, so that later statements see what the previous holder
    committed.

    Raises:
        TableLockedError: another session holds a lock on one of the tables.

    """
    with connection.transaction():
        begin(connection, timeout_seconds, LOCK_TIMEOUT, locks, is_shared=is_shared)
        if tables:
            names = sql.SQL(", ").join(sql.Identifier("app", table) for table in tables)
            try:
                with connection.transaction():
                    connection.execute(sql.SQL("lock table {} in access share mode").format(names))
            except psycopg.errors.LockNotAvailable:
                raise TableLockedError(blockers_of(connection, tables)) from None
        yield


@contextmanager
def refreshing_few(connection: Connection, locks: Sequence[str], timeout_seconds: float) -> Generator[None]:
    """Open a transaction for statements on a few keys, whose plans do not depend on the keys: by index, and generic."""
    with connection.transaction():
        begin(connection, timeout_seconds, LOCK_TIMEOUT, locks, is_few=True)
        yield


def begin(
    connection: Connection,
    timeout_seconds: float | None,
    lock_timeout: str,
    locks: Sequence[str] = (),
    *,
    is_few: bool = False,
    is_shared: bool = False,
) -> None:
    """Make the settings of the open transaction; wait for the advisory locks of these names for WAIT_SECONDS."""
    seconds = settings().refresh_timeout_seconds if timeout_seconds is None else timeout_seconds
    milliseconds = str(max(1, round(seconds * 1000)))
    run_prepared(
        connection,
        "database/session/begin",
        timeout=milliseconds,
        idle_timeout=f"{IDLE_SECONDS}s",
        lock_timeout=lock_timeout,
        locks=list(locks),
        wait=f"{WAIT_SECONDS}s",
        is_shared=is_shared,
        is_few=is_few,
    )


def allow_idle(connection: Connection) -> None:
    """Let the open transaction be idle while Python works: refreshes do not wait for its locks."""
    timeout = f"{settings().refresh_timeout_seconds}s"
    connection.execute("select set_config('idle_in_transaction_session_timeout', %s, true)", [timeout])
