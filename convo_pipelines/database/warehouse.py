"""The resource: a small connection pool, transactions independent of server defaults, statements from `sql/`."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from psycopg import Transaction, sql
from psycopg.abc import Buffer, Params, PQGen, QueryNoTemplate
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.statements import statement
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

Row = dict[str, Any]
Returned = TypeVar("Returned")

POOL_SIZE = 5
"""So many connections at most, and one for each of REFRESH_WORKERS."""
CONNECT_SECONDS = 10
MANY_ROWS = 10_000
LOCK_SECONDS = 10
"""The lock timeout of checks, reports and commands."""
LOCK_ATTEMPTS = 5
LOCK_PAUSE_SECONDS = 0.05
NAMED_HOLDERS = 5
CANCEL_SECONDS = 5
IDLE_SECONDS = 30
"""How long a transaction may be idle, because its process is frozen or cut off: less than a lease."""
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


@dataclass(frozen=True)
class Counts:
    """The rows that a refresh inserted, updated, deleted and left unchanged."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add the counts of two refreshes."""
        return Counts(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.unchanged + other.unchanged,
        )

    @property
    def changed(self) -> int:
        """The number of rows that were changed."""
        return self.inserted + self.updated + self.deleted

    @property
    def total(self) -> int:
        """The number of rows that were compared."""
        return self.changed + self.unchanged


class TableLockedError(ConvoPipelinesError, psycopg.errors.LockNotAvailable):
    """Timed out waiting for a lock; the message names the blockers and the remedy."""


class MissingRightError(ConvoPipelinesError, psycopg.errors.InsufficientPrivilege):
    """A right is missing that ticks need; the message holds the statement that grants it."""


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


class UnreachableError(ConvoPipelinesError, psycopg.OperationalError):
    """The database cannot be reached; the message says why."""


class Warehouse:
    """The database with `app` and `analytics`. Sessions run in UTC, in autocommit mode unless in a transaction."""

    def __init__(self, url: str | None = None, wait_seconds: float = 30):
        """Connect to `url`, a postgresql:// URL, at first use; by default to the database that the environment names.

        Args:
            url: the database.
            wait_seconds: timeout of waiting for a connection.

        """
        self._url = url
        self._wait_seconds = wait_seconds
        self.columns: dict[str, tuple[str, ...]] = {}
        """The columns of derived tables, as of the last look at the catalog."""
        self.missing = set[MissingRight]()
        self.rights_due = 0.0
        """The rights that were missing at the last look, each of which was warned of; when to look again."""

    @property
    def url(self) -> str:
        """The URL, with the password."""
        return self._url or database_url()

    @property
    def name(self) -> str:
        """The name of the database."""
        return str(conninfo_to_dict(self.url).get("dbname") or "the default database")

    @cached_property
    def _pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self.url,
            connection_class=Connection,
            min_size=0,
            max_size=POOL_SIZE + settings().refresh_workers,
            timeout=self._wait_seconds,
            open=True,
            configure=_configure_lent,
            kwargs=_OPTIONS,
        )

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    def ping(self) -> None:
        """Check that the database accepts connections.

        Raises:
            UnreachableError: it does not.

        """
        try:
            psycopg.connect(self.url, connect_timeout=CONNECT_SECONDS).close()
        except psycopg.OperationalError as error:
            raise UnreachableError(f"the database is away: {str(error).strip().splitlines()[0]}") from None

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """Lend a connection in autocommit mode.

        Raises:
            UnreachableError: the database is away.
            TableLockedError: a statement waited longer for a lock than it may.
            MissingRightError: a statement lacks a right that ticks need.
            psycopg.errors.QueryCanceled: a statement took longer than it may.

        """
        with ExitStack() as lent:
            try:
                connection = lent.enter_context(self._pool.connection())
            except PoolTimeout:
                self.ping()
                raise
            try:
                yield connection
            except (TableLockedError, MissingRightError):
                raise
            except psycopg.errors.LockNotAvailable:
                with self._pool.connection() as another:
                    raise TableLockedError(blockers_of(another)) from None
            except psycopg.errors.InsufficientPrivilege as error:
                with self._pool.connection() as another:
                    remedies = [
                        right.run_this for right in lacking_rights(another) if right.name in error_message(error)
                    ]
                if not remedies:
                    raise
                raise MissingRightError(f"{error_message(error)}: run `{'; '.join(remedies)}`") from None
            except psycopg.errors.QueryCanceled as error:
                if "timeout" not in error_message(error):  # an operator cancelled it
                    raise
                limits = "REFRESH_TIMEOUT_SECONDS, or of a crew CREW_TIMEOUT_SECONDS"
                raise psycopg.errors.QueryCanceled(
                    f"{error_message(error)}: see what slows it down, or raise {limits}"
                ) from None

    def analyze(self, table: str, counts: Counts) -> None:
        """Analyze `schema.table` after a large change: autovacuum would do so a minute later."""
        if counts.changed >= MANY_ROWS:
            with self.connection() as connection:
                connection.execute(sql.SQL("analyze {}").format(identifier(table)))


_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "application_name": "convo_pipelines",
    "client_encoding": "utf8",
}


class _AnyTime(TimestamptzLoader):
    """Reads a time that Python cannot hold, such as infinity, as its text."""

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def open_connection(url: str) -> Connection:
    """Open a connection like those that a warehouse lends: in autocommit mode, with the settings of our sessions."""
    connection = Connection.connect(url, **_OPTIONS)
    _configure_lent(connection)
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


def _configure_session(connection: psycopg.Connection[Any]) -> None:
    """Make the settings; the search path is empty before anything else is called, so that nothing of others is."""
    connection.execute("set search_path = ''")
    connection.execute("set statement_timeout = 0")  # the database's default may be too short for the next statement
    connection.execute(statement("database/session/settings"), session_settings())


def session_settings(*, is_local: bool = False) -> dict[str, object]:
    """Return the parameters of `settings` in `sql/database/session.sql`."""
    return {
        "timeout": f"{settings().refresh_timeout_seconds}s",
        "idle_timeout": f"{IDLE_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "is_local": is_local,
    }


def _configure_client(connection: psycopg.Connection[Any]) -> None:
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    connection.adapters.register_loader("timestamptz", _AnyTime)


def _configure_lent(connection: Connection) -> None:
    if is_pooled(connection):
        _configure_client(connection)
        connection.is_pooled = True
        connection.prepare_threshold = None  # the pooler may not know prepared statements
    else:
        configure(connection)


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler is in between: then the session is not the one that the connection began with."""
    cursor = connection.cursor(row_factory=scalar_row)
    return cursor.execute("select pg_catalog.pg_backend_pid()").fetchall() != [connection.info.backend_pid]


@contextmanager
def transaction(connection: Connection, timeout_seconds: float | None = None) -> Generator[None]:
    """Open a transaction on `connection` with settings of its own, and LOCK_TIMEOUT.

    No statement takes longer than `timeout_seconds`, by default REFRESH_TIMEOUT_SECONDS.
    """
    with connection.transaction():
        begin(connection, timeout_seconds, LOCK_TIMEOUT)
        yield


def allow_idle(connection: Connection) -> None:
    """Let the open transaction be idle while Python works: refreshes do not wait for its locks."""
    timeout = f"{settings().refresh_timeout_seconds}s"
    connection.execute("select set_config('idle_in_transaction_session_timeout', %s, true)", [timeout])


def patiently(step: Callable[[], object]) -> None:
    """Take a step that waits for a lock only shortly, because others queue behind its wait; try several times.

    Raises:
        psycopg.errors.LockNotAvailable: another session held the lock at every attempt.

    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            step()
        except psycopg.errors.LockNotAvailable:
            if attempt == LOCK_ATTEMPTS:
                raise
            time.sleep(LOCK_PAUSE_SECONDS * attempt)
        else:
            return


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


@dataclass(frozen=True)
class Blocker:
    """A transaction that holds, or waits for, a lock that prevents reading a table.

    Attributes:
        table: its name with its schema.
        since: when the transaction began, UTC; None if this role may not see it.
        text: the table, the session and what it waits for.
        remedy: what ends it.

    """

    table: str
    since: datetime | None
    text: str
    remedy: str


def blockers(connection: Connection, tables: Sequence[str] | None = None, *, is_any: bool = False) -> list[Blocker]:
    """Return the transactions that prevent reading `tables` of app, or any table; with `is_any`, altering it."""
    rows = fetch(connection, "database/blockers", tables=tables and list(tables), is_any=is_any)
    return [Blocker(row["table_name"], row["since"], _holder(row), f"let it end, or run {_end(row)}") for row in rows]


def blockers_of(connection: Connection, tables: Sequence[str] | None = None, *, is_any: bool = False) -> str:
    """Return which sessions hold locks that prevent reading `tables` of app, and the remedy.

    Without `tables`, when it is not known which lock was waited for: possible blockers on any table. With `is_any`,
    sessions that prevent altering a table.
    """
    holders = blockers(connection, tables, is_any=is_any)
    if not holders:
        named = f"app.{' or app.'.join(tables)}" if tables else "a table or row"
        return f"another session held a lock on {named}; try again"
    named = "; ".join(holder.text for holder in holders[:NAMED_HOLDERS])
    if tables is None:
        rest = f", and {len(holders) - NAMED_HOLDERS} more" if len(holders) > NAMED_HOLDERS else ""
        return f"timed out waiting for a lock; possible blockers: {named}{rest}; let them end, and try again"
    return f"{named}: {holders[0].remedy}"


def _holder(row: Row) -> str:
    locks = "is locked" if row["waits_for"] is None else "is about to be locked"
    by = f"the prepared transaction {row['prepared']!r}" if row["prepared"] else f"pid {row['pid']}"
    text = f"{row['table_name']} {locks} by {by} of {row['who'] or 'another role'}"
    if row["since"]:
        text += f" since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
    if not row["waits_for"]:
        return text
    [pid, *_] = row["waits_for"]
    return f"{text}, which waits for {f'pid {pid}' if pid else 'a prepared transaction'}"


def _end(row: Row) -> str:
    pid = row["waits_for"][0] if row["waits_for"] else row["pid"]
    if row["prepared"]:
        return f"rollback prepared '{row['prepared']}'"
    return f"select pg_terminate_backend({pid})" if pid else "rollback prepared (see pg_prepared_xacts)"


@dataclass(frozen=True)
class MissingRight:
    """A right that ticks need, and that a role lacks.

    Attributes:
        subject: the table, schema or function, with its schema.
        name: the same without its schema, as PostgreSQL's messages name it.
        failure: which role may not do what.
        run_this: the statement that grants it.

    """

    subject: str
    name: str
    failure: str
    run_this: str

    def __str__(self) -> str:
        """Return what is missing, and the remedy."""
        return f"{self.failure}: run `{self.run_this}`"


INSERTED = ("id", "channel", "external_id", "client_id", "crew_id", "session_id", "started_at")
"""The columns of app.conversations that crews' conversations are given."""


def lacking_rights(
    connection: psycopg.Connection[Any], sources: Sequence[str] = (), targets: Sequence[str] = ()
) -> list[MissingRight]:
    """Return the rights that ticks need, and that are missing, as far as the role may see that.

    Args:
        connection: of the role that runs ticks, or of one that may see its rights.
        sources: further tables of `app` that are read.
        targets: further tables of `analytics` that are written.

    """
    inserted = INSERTED if settings().create_conversations else ()

    def lacking(name: str, **parameters: object) -> list[MissingRight]:
        with connection.cursor(row_factory=class_row(MissingRight)) as cursor:
            return cursor.execute(statement(f"database/catalog/{name}"), parameters, prepare=None).fetchall()

    with connection.transaction():
        missing = lacking("needed_rights", sources=list(sources), targets=list(targets))
        try:
            with connection.transaction():
                return missing + lacking("known_rights", inserted=list(inserted)) + lacking("log_rights")
        except psycopg.errors.InsufficientPrivilege:
            if not missing:
                raise
            return missing


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


def error_message(error: Exception) -> str:
    """Return the message of an error, without its detail, which may quote personal data of a row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or str(error)).strip() or type(error).__name__


Identifiers = Mapping[str, sql.Composable]


def identifier(relation: str) -> sql.Identifier:
    """Return a relation, given as `schema.table`, as an identifier."""
    return sql.Identifier(*relation.split("."))


def histories(table: str) -> Identifiers:
    """Return the identifier for the placeholder `{histories}`: a table in schema `app`."""
    return {"histories": sql.Identifier("app", table)}


def execute(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> psycopg.Cursor[Row]:
    """Run the statement `name`.

    Args:
        connection: where to run it.
        name: path under `sql/`, without the ending.
        identifiers: fill its `{placeholders}`.
        parameters: values of its named parameters.

    """
    return connection.execute(statement(name).format(**(identifiers or {})), parameters)


def fetch(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> list[Row]:
    """Run the statement `name` and return its rows; arguments as of `execute`."""
    return execute(connection, name, identifiers, **parameters).fetchall()


def query_prepared(connection: Connection, query: bytes, parameters: Mapping[str, object]) -> list[Row]:
    """Run a query whose plan does not depend on its parameters, and return its rows.

    It is prepared if it is run often, unless a connection pooler is in between.
    """
    return connection.execute(query, parameters, prepare=None).fetchall()


def run_prepared(connection: Connection, name: str, **parameters: object) -> psycopg.Cursor[Row]:
    """Run the statement `name`, which has no placeholders, as `query_prepared`."""
    return connection.execute(statement(name), parameters, prepare=None)


def fetch_prepared(connection: Connection, name: str, **parameters: object) -> list[Row]:
    """Run the statement `name`, which has no placeholders, as `query_prepared`, and return its rows."""
    return run_prepared(connection, name, **parameters).fetchall()


def fetch_one(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> Row:
    """Run the statement `name`, which returns exactly one row, and return it; arguments as of `execute`."""
    [row] = fetch(connection, name, identifiers, **parameters)
    return row
