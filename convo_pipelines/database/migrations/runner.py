"""How migrations reach the database: one process at a time, patiently, and file by file."""

import logging
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from convo_pipelines.database import connections, transactions
from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.connections import Connection, configure, configure_transaction, open_connection
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.locks import LOCK_PAUSE_SECONDS, TableLockedError, blockers_of
from convo_pipelines.database.transactions import LOCK_TIMEOUT
from convo_pipelines.errors import ConvoPipelinesError

LONGEST_WAIT_SECONDS = 900
"""The timeout of building an index, which waits for older transactions."""

_log = logging.getLogger(__name__)


class MigrationError(ConvoPipelinesError):
    """A database that cannot be migrated; nothing was changed."""


class RollbackError(ConvoPipelinesError):
    """A migration that cannot be rolled back; nothing was changed."""


@contextmanager
def connect(url: str | None = None) -> Generator[Connection]:
    """Connect, with the settings of our sessions.

    Raises:
        TableLockedError: a statement waited longer for a lock than it may.

    """
    with closing(open_connection(url or database_url())) as connection:
        try:
            yield connection
        except psycopg.errors.LockNotAvailable:
            raise TableLockedError(blockers_of(connection, is_any=True)) from None


@contextmanager
def alone(url: str | None = None) -> Generator[Connection]:
    """Connect, while no other migration of the database runs: a transaction of another session holds the lock.

    Neither that transaction nor one that waits for it keeps a snapshot: a concurrent build would wait for its end.

    Raises:
        MigrationError: another runs for longer than WAIT_SECONDS.

    """
    deadline = time.monotonic() + transactions.WAIT_SECONDS
    with connect(url) as connection, closing(open_connection(url or database_url())) as holder:
        while time.monotonic() < deadline:
            with transaction(holder):
                if fetch_one(holder, "database/migrations/lock")["is_taken"]:
                    # Without parameters, so that it ends the statement before, and its snapshot.
                    holder.execute("set local idle_in_transaction_session_timeout = 0")
                    yield connection
                    return
            time.sleep(LOCK_PAUSE_SECONDS)
        raise MigrationError(
            "another `migrate up` or `migrate down` is running on this database: let it end, and try again"
        )


@contextmanager
def transaction(connection: Connection) -> Generator[None]:
    """Open a transaction with the settings of our sessions."""
    with connection.transaction():
        if connection.is_pooled:
            configure_transaction(connection)
        yield


def in_one_transaction(connection: Connection, step: Callable[[], object]) -> None:
    """Take a step in a transaction that waits for each lock only shortly; try again for LOCK_SECONDS.

    So it holds no lock while it waits for long, and never makes a transaction of the application the victim of a
    deadlock.

    Raises:
        psycopg.errors.LockNotAvailable: another session held a lock for longer.

    """
    deadline = time.monotonic() + connections.LOCK_SECONDS
    while True:
        try:
            with transaction(connection):
                connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                step()
                return
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOCK_PAUSE_SECONDS)


def run(connection: Connection, refused: str, file: Path) -> None:
    """Run a file in the open transaction. PostgreSQL drops a published table without an error: that is refused."""
    before = _published(connection)
    connection.execute(file.read_bytes())
    if lost := before - _published(connection):
        raise RollbackError(refusal(refused, sorted(lost)))


def run_alone(connection: Connection, text: str) -> None:
    """Run each statement of a text, up to an empty line, on its own; in a transaction, unless it runs concurrently.

    An index that an interrupted build left invalid is dropped before. It does not block writers while it waits for
    older transactions, and may take hours.
    """
    if not connection.is_pooled:  # other transactions are on the same session
        connection.execute_alone("set statement_timeout = 0")
        connection.execute_alone(sql.SQL("set lock_timeout = {}").format(f"{LONGEST_WAIT_SECONDS}s"))
    for row in fetch(connection, "database/migrations/invalid_indexes"):
        if re.search(rf" concurrently (if not exists )?{re.escape(row['name'])}\b", text):
            index = sql.Identifier(row["schema_name"], row["name"])
            _log.warning("index %s is invalid, its build was interrupted; building it again", index.as_string())
            connection.execute_alone(sql.SQL("drop index concurrently if exists {}").format(index))
    for one in text.split("\n\n"):
        if " concurrently " in one:
            connection.execute_alone(one.encode())
        else:
            with transaction(connection):
                connection.execute(one.encode())
    if not connection.is_pooled:
        configure(connection)


def is_concurrent(file: Path) -> bool:
    """Whether a file has statements that cannot run in a transaction."""
    return " concurrently " in file.read_text()


def refusal(what: str, dependents: Sequence[str]) -> str:
    """Return the message of an error: what is refused, because of which dependents, and the remedy."""
    return (
        f"{what}, other objects depend on what it drops: {'; '.join(dependents)}. Drop these first, or take the table "
        "out of the publication: `alter publication … drop table …`"
    )


def dependents_of(error: psycopg.Error) -> list[str]:
    """Return the objects that an error names, which depend on what would be dropped."""
    return (error.diag.message_detail or str(error)).splitlines()


def _published(connection: Connection) -> set[str]:
    return {row["member"] for row in fetch(connection, "database/migrations/published")}
