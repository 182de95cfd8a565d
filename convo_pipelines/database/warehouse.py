"""The resource: a small connection pool, which explains why a statement failed."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import cached_property

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.connections import OPTIONS, Connection, configure_lent
from convo_pipelines.database.execution import Counts, error_message, identifier
from convo_pipelines.database.locks import TableLockedError, blockers_of
from convo_pipelines.database.rights import MissingRight, MissingRightError, lacking_rights
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

POOL_SIZE = 5
"""So many connections at most, and one for each of REFRESH_WORKERS."""
CONNECT_SECONDS = 10
MANY_ROWS = 10_000


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
            configure=configure_lent,
            kwargs=OPTIONS,
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
