"""refresh(scope): choose keys, compare their rows with the sources, lock, write, propagate, log retries.

Up to FEW_KEYS keys: one statement, keys as arrays. More keys, or if that statement fails: chunks with temporary tables,
by several statements of the same queries (`executors.py`). Only chunks can isolate a row that the application refuses.

Each chunk is a transaction under the table's advisory lock. It compares first, and locks the rows that it writes last.
Rows that another session has locked are left for the next tick. The application never waits for more than a second.
Ticks, backfills and reconcile use the same statements; the caller only chooses the scope.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import psycopg

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, fetch, fetch_one, identifier
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.transactions import PASSING_ERRORS, refreshing
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, indexes, leases, oddities, queries
from convo_pipelines.engine.change_log import Watermark
from convo_pipelines.engine.chunk_size import ChunkSize
from convo_pipelines.engine.chunks import at_once, chunks
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import (
    EVERYTHING,
    Asked,
    Changes,
    Scope,
    Selection,
    Window,
)
from convo_pipelines.engine.spans import (
    BY_KEY,
    Keys,
    Span,
    file_of,
    is_large_part,
    known_size,
    spans_of,
    spans_of_window,
)
from convo_pipelines.engine.work import Outcome, Work, columns_of
from convo_pipelines.engine.workers import Estimate, Workers

CHUNK_KEYS = 5_000
SPAN_SECONDS = 1.5
"""How long a chunk of everything takes, about."""

_log = logging.getLogger(__name__)


def tick(
    warehouse: Warehouse, table: DerivedTable, selection: Selection | None = None, wait_seconds: float = 0
) -> Outcome:
    """Refresh what changed since the table's last tick, and move its watermark.

    A table without a watermark is built first: everything, once. Narrowed, the watermark stays. Another process that
    holds the lease is waited for.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    with leases.hold(warehouse, [table], wait_seconds) as lease:
        if not lease.tables:
            return Outcome(is_skipped=True)
        with warehouse.connection() as connection:
            since = change_log.watermark(connection, table)
            outcome = tick_leased(warehouse, connection, table, since, lease, selection)
            if selection is None:
                change_log.trim(connection, table.registry)
    return outcome


def tick_leased(
    warehouse: Warehouse,
    connection: Connection,
    table: DerivedTable,
    since: Watermark,
    lease: Lease,
    selection: Selection | None = None,
) -> Outcome:
    """Tick a table whose lease and watermark are known."""
    done = tick_few(warehouse, connection, table, since, lease, selection)
    return done[0] if done else tick_many(warehouse, connection, table, lease, selection)


def tick_few(
    warehouse: Warehouse,
    connection: Connection,
    table: DerivedTable,
    since: Watermark,
    lease: Lease,
    selection: Selection | None = None,
) -> tuple[Outcome, Watermark] | None:
    """Refresh a few changes, and move the watermark unless narrowed, in one transaction; return the new one, too.

    Returns:
        None, if nothing was done: there are many changes, or the one statement cannot do it.

    """
    if since.snapshot is None:
        return None
    work = Work(table, columns_of(warehouse, connection, table), since.snapshot, is_tick=True, lease=lease)
    scope = Changes(since.snapshot, None)
    done = at_once(connection, work, scope, selection, since=since, snapshot_at=since.taken_at)
    if done is None:
        return None
    [outcome] = done.outcomes
    if outcome.odd.found or (
        table.own("refused") and (outcome.counts.changed or done.operations & hooks_of(table).deletions)
    ):
        _note(connection, table, outcome)
    return outcome, done.reached or since


def tick_many(
    warehouse: Warehouse,
    connection: Connection,
    table: DerivedTable,
    lease: Lease,
    selection: Selection | None = None,
) -> Outcome:
    """Refresh any number of changes in chunks, or build the table, and move the watermark unless narrowed."""
    at = change_log.look(connection, table)
    if at.from_snapshot is None and selection is None:
        return _build(warehouse, connection, table, lease)
    outcome = Outcome()
    if at.has_news:
        columns = columns_of(warehouse, connection, table)
        changes = at.scope if isinstance(at.scope, Changes) else None
        work = Work(
            table, columns, at.from_snapshot, is_tick=changes is not None, lease=lease, written_at=at.written_at
        )
        try:
            is_all = selection is None and (changes is None or _is_large_part(connection, work, changes))
            found = None if is_all else _refresh(connection, work, at.scope, selection)
        except (psycopg.DataError, psycopg.errors.FeatureNotSupported) as error:
            if changes is None or selection is not None or not table.definition:
                raise
            # A key may fail that is computed from a changed row, if the SELECT leaves that row out.
            _log.warning("all rows of %s are computed: %s", table.name, error_message(error))
            found = None
        outcome.add(found or _refresh_all(warehouse, connection, work))
    if selection is None:
        change_log.finish(connection, at)
    _note(connection, table, outcome)
    warehouse.analyze(table.target, outcome.counts)
    return outcome


def _is_large_part(connection: Connection, work: Work, changes: Changes) -> bool:
    """Return whether so many keys changed that the tick reads everything.

    Raises:
        TableLockedError: a whole table was locked at several attempts.

    """
    size = ChunkSize(CHUNK_KEYS)
    while True:
        try:
            with refreshing(connection, [work.table.name], work.table.sources, work.seconds_left, is_shared=True):
                return is_large_part(connection, work.table, changes)
        except (*PASSING_ERRORS, TableLockedError) as error:
            size.back_off(error)


def backfill(warehouse: Warehouse, table: DerivedTable, window: Window, selection: Selection | None = None) -> Outcome:
    """Refresh a window. If it covers all sources of a table without a watermark, this is the first build."""
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        has_days = table.grain.has_days
        is_whole = selection is None and (not has_days or _holds_all(connection, window))
        if is_whole and at.from_snapshot is None:
            with leases.hold(warehouse, [table]) as lease:
                if lease.tables:
                    return _build(warehouse, connection, table, lease)
        work = Work(table, columns_of(warehouse, connection, table), at.from_snapshot)
        if is_whole:
            outcome = _refresh_all(warehouse, connection, work)
        elif has_days:
            spans = spans_of_window(connection, table, window, selection)
            outcome = _refresh_spans(warehouse, work, [spans])
        else:
            outcome = _refresh(connection, work, EVERYTHING, selection)
        _note(connection, table, outcome)
    warehouse.analyze(table.target, outcome.counts)
    return outcome


def read_asked(warehouse: Warehouse, table: DerivedTable, asked: Asked) -> Outcome:
    """Refresh the rows of what a caller names, independent of the log; the watermark stays."""
    with warehouse.connection() as connection:
        unread_since = change_log.unread_since(connection, table)
        work = Work(table, columns_of(warehouse, connection, table), unread_since)
        if done := at_once(connection, work, asked, unread_since=unread_since):
            return done.outcomes[0]
        return _refresh(connection, work, asked)


def compare(warehouse: Warehouse, table: DerivedTable, progress: Callable[[int], object]) -> Outcome:
    """Refresh everything, and count changed rows without an unread change as drift.

    Args:
        warehouse: the database.
        table: the table to compare with its sources.
        progress: called with the number of keys done since the last call.

    """
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        work = Work(table, columns_of(warehouse, connection, table), at.from_snapshot, counts_drift=True)
        outcome = _refresh_all(warehouse, connection, work, progress)
        indexes.restore(warehouse, connection, table)
        _note(connection, table, outcome, is_all=True)
    return outcome


def days_of(warehouse: Warehouse, table: DerivedTable) -> list[date]:
    """Return the UTC days of all rows of a table, in order; reads all of it."""
    with warehouse.connection() as connection:
        names = {"target": identifier(table.target), "day": queries.day(table)}
        rows = fetch(connection, "engine/refresh/days", names)
    return [row["day"] for row in rows]


def _build(warehouse: Warehouse, connection: Connection, table: DerivedTable, lease: Lease) -> Outcome:
    at = change_log.begin_build(connection, table)
    work = Work(table, columns_of(warehouse, connection, table), at.from_snapshot, lease=lease, is_build=True)
    change_log.watermarks(connection, table.registry.followers(table))
    outcome = _refresh_all(warehouse, connection, work)
    outcome.is_build = True
    indexes.restore(warehouse, connection, table)
    change_log.finish(connection, at)
    change_log.trim(connection, table.registry)
    _note(connection, table, outcome, is_all=True)
    warehouse.analyze(at.table.target, outcome.counts)
    return outcome


def _note(connection: Connection, table: DerivedTable, outcome: Outcome, *, is_all: bool = False) -> None:
    """Store the odd rows that a run found; of a table whose rows may be refused, all that are refused by now."""
    if refused := table.own("refused"):
        outcome.odd = Oddities.of(fetch(connection, refused, is_all=is_all))
    oddities.note(connection, table.name, {None: outcome.odd}, is_all=is_all or bool(refused))


def _holds_all(connection: Connection, window: Window) -> bool:
    span = fetch_one(connection, "model/span")
    return span["first"] is None or window.start <= span["first"] <= span["last"] < window.end


def _refresh(connection: Connection, work: Work, scope: Scope, selection: Selection | None = None) -> Outcome:
    total = Outcome()
    span = Keys(scope=scope, selection=selection, unread_since=work.unread_since)
    for [outcome], _ in chunks(connection, work, span, ChunkSize(CHUNK_KEYS)):
        total.add(outcome)
    return total


def _refresh_all(
    warehouse: Warehouse, connection: Connection, work: Work, progress: Callable[[int], object] = lambda _keys: None
) -> Outcome:
    """Refresh everything; if VACUUM FULL has moved the rows meanwhile, everything is read again, by key."""
    file = file_of(connection, work.table)
    stages = spans_of(connection, work.table)
    if work.is_build and known_size(stages) >= indexes.MANY_KEYS:
        indexes.defer(connection, work.table)
    total = _refresh_spans(warehouse, work, stages, progress)
    if file_of(connection, work.table) != file:
        total.add(_refresh_spans(warehouse, work, [[BY_KEY]], progress))
    return total


def _refresh_spans(
    warehouse: Warehouse,
    work: Work,
    stages: Sequence[Sequence[Span]],
    progress: Callable[[int], object] = lambda _keys: None,
) -> Outcome:
    """Refresh the spans of each stage at the same time.

    They share the lock of the table. So whatever else refreshes the table does so before a chunk, which then sees the
    same changes, or after it. Between two spans, a key may move: that is a change, which the next tick reads.
    """
    workers, keys = Workers(warehouse), CHUNK_KEYS
    shared = replace(work, is_shared=any(len(spans) > 1 for spans in stages))
    estimate = Estimate(work.table.name, sum(map(len, stages)))

    def refresh(span: Span) -> Outcome:
        nonlocal keys
        total, size = Outcome(), ChunkSize(keys, SPAN_SECONDS)
        with workers.connection() as connection:
            for [outcome], _ in chunks(connection, shared, span, size):
                total.add(outcome)
                progress(outcome.keys)
        keys = max(size.rows, CHUNK_KEYS)
        estimate.advance()
        return total

    total = Outcome()
    for spans in stages:
        for outcome in workers.map(refresh, spans):
            total.add(outcome)
    return total
