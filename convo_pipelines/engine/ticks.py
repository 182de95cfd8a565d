"""Tick, backfill and comparison of any derived table."""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from convo_pipelines import logs
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, change_log, keys, leases, queries, refresh
from convo_pipelines.engine.change_log import Seen, Watermark
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.readers import reader_of
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Asked, Selection, Window
from convo_pipelines.engine.work import Done, Outcome, columns_of
from convo_pipelines.errors import ConvoPipelinesError

STATEMENTS = {
    "keys": "The keys that changes since the watermark concern, and what the log says of them:",
    "refresh": "Compares the rows of these keys with the sources, writes the differences, and logs them:",
}
"""What a tick sends for a few keys."""
NOT_VALID = ("22", "42")
"""How codes of errors begin: a value cannot be computed; what a statement names is not there, or may not be read."""


class SourceError(ConvoPipelinesError):
    """A SELECT of one's own fails, as what it reads has changed, or may not be read; the message says what to do."""


def tick(
    warehouse: Warehouse,
    table: DerivedTable,
    log: logging.Logger,
    narrowing: Selection | None = None,
    wait_seconds: float = 0,
) -> Done:
    """Refresh the changes since the table's last tick. If narrowed, its watermark stays.

    Another process that holds the table's lease is waited for; then the tick is skipped.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    if table is table.registry.of_job(table.job)[0]:  # once for all of them
        capture.sync(warehouse, table.registry)
    with _recorded(warehouse, table, narrowing), _about(table):
        if reader := reader_of(table):
            return reader.tick(warehouse, log, narrowing, wait_seconds)
        return Done(refresh.tick(warehouse, table, narrowing, wait_seconds), [])


def tick_all(
    warehouse: Warehouse,
    tables: Sequence[DerivedTable],
    log: logging.Logger,
    narrowing: Selection | None = None,
    wait_seconds: float = 0,
    progress: Callable[[str], object] = lambda _table: None,
) -> dict[str, Done]:
    """Refresh the changes since each table's last tick; tables without news cost nothing. Else as `tick`."""
    capture.sync(warehouse, tables[0].registry)
    with warehouse.connection() as connection:
        news = _News.read(connection, tables)
        if not news.changed and news.now.operations and narrowing is None:
            news.store_idle(connection)  # otherwise each look shows what all of them have read
    nothing = Done(Outcome(), [])
    done = {table.name: nothing for table in tables}
    if not news.changed:
        return done
    with leases.hold(warehouse, tables, wait_seconds) as lease:
        for table in tables:
            if table.name not in lease.tables:
                done[table.name] = Done(Outcome(is_skipped=True), [])
            elif table.name in news.changed:
                progress(table.name)
                done[table.name] = _tick_leased(warehouse, table, news.watermarks[table.name], lease, log, narrowing)
                if done[table.name].outcome.keys:
                    news.changed |= {other.name for other in table.registry.followers(table)}
        if narrowing is None:
            with warehouse.connection() as connection:
                news.store_idle(connection)
                change_log.trim(connection, tables[0].registry)
    return done


def _tick_leased(
    warehouse: Warehouse,
    table: DerivedTable,
    since: Watermark,
    lease: Lease,
    log: logging.Logger,
    narrowing: Selection | None,
) -> Done:
    with _recorded(warehouse, table, narrowing), _about(table):
        if reader := reader_of(table):
            return reader.tick_leased(warehouse, log, lease, narrowing)
        with warehouse.connection() as connection:
            return Done(refresh.tick_leased(warehouse, connection, table, since, lease, narrowing), [])


@contextmanager
def _recorded(warehouse: Warehouse, table: DerivedTable, narrowing: Selection | None) -> Generator[None]:
    """Store why a tick fails; one that is narrowed would not end it."""
    try:
        yield
    except Exception as error:
        if narrowing is None:
            change_log.record_failure(warehouse, [table.name], error)
        raise


@contextmanager
def _about(table: DerivedTable) -> Generator[None]:
    """Name a table in the logs, and one's own in what its SELECT raises."""
    with logs.about(table=table.name):
        try:
            yield
        except psycopg.Error as error:
            if not table.definition or (error.sqlstate or "")[:2] not in NOT_VALID:
                raise
            said, remedy = (
                error_message(error),
                f"correct its rows.sql, and run `convo-pipelines table apply {table.name}`",
            )
            if isinstance(error, psycopg.errors.UndefinedTable) and f'"{table.target}"' in said:
                remedy = "it was removed: restart this process"
            elif isinstance(error, psycopg.errors.InsufficientPrivilege):
                remedy = "grant that to the role which runs the ticks"
            raise SourceError(f"{table.name}: {said}: {remedy}") from None


@dataclass
class _News:
    """What tables have not read.

    Attributes:
        watermarks: of each table.
        now: a look at everything.
        changed: the names of those with changes, and of those that are not built yet.

    """

    watermarks: Mapping[str, Watermark]
    now: Seen
    changed: set[str]

    @classmethod
    def read(cls, connection: Connection, tables: Sequence[DerivedTable]) -> "_News":
        """Look once for all tables, and again for those that follow what it shows: others may have read less."""
        watermarks = change_log.watermarks(connection, tables)
        snapshots = [watermark.snapshot for watermark in watermarks.values() if watermark.snapshot]
        now = change_log.look_at_all(connection, change_log.oldest(snapshots) if snapshots else None)
        changed = {
            table.name
            for table in tables
            if (now.of(table) and change_log.has_news(connection, table, watermarks[table.name], now.to_snapshot))
            or watermarks[table.name].snapshot is None
            or ((reader := reader_of(table)) and reader.has_work(connection))
        }
        return cls(watermarks, now, changed)

    def store_idle(self, connection: Connection) -> None:
        """Move the watermarks of the tables without changes."""
        idle = {name: watermark for name, watermark in self.watermarks.items() if name not in self.changed}
        if idle:
            change_log.store_idle(connection, idle, self.now)


def backfill(
    warehouse: Warehouse,
    table: DerivedTable,
    window: Window,
    log: logging.Logger,
    narrowing: Selection | None = None,
    *,
    forget_pruned_days: bool = False,
) -> Done:
    """Refresh a window of whole UTC days."""
    capture.sync(warehouse, table.registry)
    with _about(table):
        if reader := reader_of(table):
            return reader.backfill(warehouse, log, window, narrowing, forget_pruned_days=forget_pruned_days)
        return Done(refresh.backfill(warehouse, table, window, narrowing), [])


def read_asked(warehouse: Warehouse, table: DerivedTable, asked: Asked, log: logging.Logger) -> Done:
    """Refresh what a caller names as a whole; a table that sums up more than that gets its tick."""
    if reader := reader_of(table):
        return reader.read_asked(warehouse, log, asked)
    if table.asked:
        return Done(refresh.read_asked(warehouse, table, asked), [])
    return tick(warehouse, table, log)


def compare(
    warehouse: Warehouse,
    table: DerivedTable,
    log: logging.Logger,
    progress: Callable[[int], object] = lambda _keys: None,
) -> Done:
    """Refresh everything, and count changed rows without an unread change as drift."""
    capture.sync(warehouse, table.registry)  # a table that was exchanged is news, not drift
    with _about(table):
        if reader := reader_of(table):
            return reader.compare(warehouse, log)
        return Done(refresh.compare(warehouse, table, progress), [])


def have_news(warehouse: Warehouse, tables: Sequence[DerivedTable]) -> bool:
    """Return whether a tick of any of the tables would find changes; a cheap query.

    If not, their watermarks move, so that tables without changes do not prevent trimming of the logs.
    """
    with warehouse.connection() as connection:
        if capture.has_news(connection):
            return True
        news = _News.read(connection, tables)
        if news.changed:
            return True
        if not fetch_one(connection, "engine/change_log/is_empty")["is_empty"]:
            news.store_idle(connection)
            change_log.trim(connection, tables[0].registry)
    return False


def statements(warehouse: Warehouse, table: DerivedTable) -> dict[str, str]:
    """Return the statements by which a tick refreshes a few keys, by the names of STATEMENTS.

    Those of a table with a reader are of one source.
    """
    reader = reader_of(table)
    with warehouse.connection() as connection:
        columns = columns_of(warehouse, connection, table)
        sources = reader.example(connection) if reader else ()
    refreshed = queries.few(table, columns, sources)
    return {"keys": keys.few(table).decode(), "refresh": refreshed.decode()}
