"""Tick, backfill and comparison of any derived table."""

import logging
from collections.abc import Callable, Sequence

from convo_pipelines import logs
from convo_pipelines.database.warehouse import Connection, Warehouse, fetch_one
from convo_pipelines.engine import capture, change_log, crews, histories, refresh
from convo_pipelines.engine.isolation import CrewResult, total
from convo_pipelines.engine.refresh import Outcome
from convo_pipelines.engine.registry import DISCOVERY, HISTORIES_SESSIONS, LINKS, DerivedTable
from convo_pipelines.engine.scopes import Asked, Selection, Window

Done = tuple[Outcome, list[CrewResult]]
"""The outcome in all, and the result of each crew, if the table is read per crew."""


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
    if table in (DISCOVERY[0], LINKS[0]):  # once for all tables of a job
        capture.sync(warehouse)
    with logs.about(table=table.name):
        if table is HISTORIES_SESSIONS:
            return histories.tick(warehouse, log, narrowing, wait_seconds)
        return refresh.tick(warehouse, table, narrowing, wait_seconds), []


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
    capture.sync(warehouse)
    with logs.about(table=table.name):
        if table is HISTORIES_SESSIONS:
            return histories.backfill(warehouse, log, window, narrowing, forget_pruned_days=forget_pruned_days)
        return refresh.backfill(warehouse, table, window, narrowing), []


def read_asked(warehouse: Warehouse, table: DerivedTable, asked: Asked, log: logging.Logger) -> Done:
    """Refresh what a caller names as a whole; a table that sums up more than that gets its tick."""
    if table is HISTORIES_SESSIONS:
        results = histories.read_sessions(warehouse, log, asked, is_whole=True)
        return total(results), results
    if table.grain.asked:
        return refresh.read_asked(warehouse, table, asked), []
    return tick(warehouse, table, log)


def compare(
    warehouse: Warehouse,
    table: DerivedTable,
    log: logging.Logger,
    progress: Callable[[int], object] = lambda _keys: None,
) -> Done:
    """Refresh everything, and count changed rows without an unread change as drift."""
    with logs.about(table=table.name):
        if table is HISTORIES_SESSIONS:
            return histories.compare(warehouse, log)
        return refresh.compare(warehouse, table, progress), []


def have_news(warehouse: Warehouse, tables: Sequence[DerivedTable]) -> bool:
    """Return whether a tick of any of the tables would find changes; a cheap query.

    If not, their watermarks move, so that tables without changes do not prevent trimming of the logs.
    """
    with warehouse.connection() as connection:
        if capture.has_news(connection):
            return True
        looks = [change_log.look(connection, table) for table in tables]
        if any(at.has_news for at in looks) or any(_reads_by_window(connection, table) for table in tables):
            return True
        if fetch_one(connection, "engine/log/is_empty")["is_empty"]:
            return False
        change_log.store_idle(connection, {at.table.name: at.since for at in looks}, looks[0])
        change_log.trim(connection)
    return False


def _reads_by_window(connection: Connection, table: DerivedTable) -> bool:
    if table is HISTORIES_SESSIONS:
        return crews.any_by_window(connection)
    return table.grain.has_days and bool(capture.uncaptured(connection, table.follows))
