"""refresh(scope): choose keys, compare their rows with the sources, lock, write, propagate, log retries.

Up to FEW_KEYS keys: one statement, keys as arrays. More keys, or if that statement fails: chunks with temporary tables,
by several statements of the same queries. Only chunks can isolate a row that the application refuses.

Each chunk is a transaction under the table's advisory lock. It compares first, and locks the rows that it writes last.
Rows that another session has locked are left for the next tick. The application never waits for more than a second.
Ticks, backfills and reconcile use the same statements; the caller only chooses the scope.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import (
    Counts,
    error_message,
    execute,
    fetch,
    fetch_one,
    identifier,
    query_prepared,
)
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.transactions import LOCK_TIMEOUT, PASSING_ERRORS, begin, refreshing, refreshing_few
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, indexes, leases, logs, oddities, queries
from convo_pipelines.engine.change_log import Watermark
from convo_pipelines.engine.chunks import ChunkSize, TooSlowError
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.keys import FEW_KEYS, Chosen, ChunksOf, FewKeys, P, choose_keys, few_keys, given
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.queries import Part
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
from convo_pipelines.engine.workers import Estimate, Workers
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

COUNTED = ("rows", "inserted", "updated", "deleted", "locked")
ANALYZED_ROWS = 100
"""Differences are analyzed if there are more rows of them."""
FEW_SECONDS = 1.0
"""How long a statement on few keys may take."""
CHUNK_KEYS = 5_000
SPAN_SECONDS = 1.5
"""How long a chunk of everything takes, about."""

_log = logging.getLogger(__name__)


class KeyOfSeveralRowsError(ConvoPipelinesError):
    """Several rows of a source have the same key, as those of a view may have."""

    def __init__(self, table: DerivedTable, error: psycopg.Error):
        """Name the table that is refreshed."""
        super().__init__(
            f"{table.name}: {error_message(error)}: rows of app.{', app.'.join(table.sources)} have the same key; "
            "`convo-pipelines adopt --check FILE` counts them"
        )


@dataclass
class Outcome:
    """What a refresh did: the counts of changed rows, UTC days of activity of these rows, and keys compared.

    `drift` counts changed rows without an unread change in the log; only reconcile determines it. `odd` are
    rows that were left out or read otherwise than written, `locked` those that were left for the next tick. `is_build`:
    it was the table's first build, after which every day is right.
    """

    counts: Counts = field(default_factory=Counts)
    drift: Counts = field(default_factory=Counts)
    days: set[date] = field(default_factory=set[date])
    odd: Oddities = field(default_factory=Oddities)
    keys: int = 0
    rows_read: int = 0
    locked: int = 0
    is_skipped: bool = False
    is_build: bool = False

    def add(self, other: "Outcome") -> None:
        """Add what another chunk did."""
        self.counts += other.counts
        self.drift += other.drift
        self.days |= other.days
        self.odd.add(other.odd)
        self.keys += other.keys
        self.rows_read += other.rows_read
        self.locked += other.locked


class Done(NamedTuple):
    """What a refresh did to a table: the outcome in all, and, of a table with a reader, the result of each source."""

    outcome: Outcome
    parts: Sequence[Any]


@dataclass(frozen=True)
class Work:
    """The parameters of all chunks of one refresh.

    Attributes:
        table: what is refreshed.
        columns: the columns that are computed.
        unread_since: changes that the table has not read were logged since this snapshot; None: it was never built.
        is_tick: whether a tick reads changes.
        is_build: whether it is the first build of the table.
        counts_drift: whether to distinguish drift from changes that no tick has read yet.
        lease: renewed by each chunk, if there is one.
        parts: of a table with a reader: the relations that are read, each by its value of the column `part`.
        parameters: further ones of the table's statements.
        locks: the advisory locks of its chunks; none: that of the table.
        is_shared: whether other chunks with these locks may be refreshed at the same time.
        reads: the tables of `app` that it reads; none: those of the table.
        deadline: when it is to end, by `time.monotonic()`.
        written_at: when the oldest change was made that it reads; None: now.

    """

    table: DerivedTable
    columns: tuple[str, ...]
    unread_since: str | None
    is_tick: bool = False
    is_build: bool = False
    counts_drift: bool = False
    lease: Lease | None = None
    parts: Mapping[UUID, Part] = field(default_factory=dict[UUID, Part])
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    locks: Sequence[str] = ()
    is_shared: bool = False
    reads: Sequence[str] = ()
    deadline: float = float("inf")
    written_at: datetime | None = None

    @property
    def seconds_left(self) -> float:
        """How long the next statement may take."""
        return min(settings().refresh_timeout_seconds, max(0.001, self.deadline - time.monotonic()))

    @property
    def values(self) -> dict[str, object]:
        """The parameters of the statements that compare, propagate and log retries."""
        return {
            "unread_since": self.unread_since,
            "is_tick": self.is_tick,
            "is_whole": False,
            "source": self.table.name,
            "written_at": self.written_at,
            "is_awaited": True,
            **{f"part_{number}": part for number, part in enumerate(self.parts)},
            **self.parameters,
        }


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
        is_all = selection is None and (changes is None or _is_large_part(connection, work, changes))
        outcome.add(
            _refresh_all(warehouse, connection, work) if is_all else _refresh(connection, work, at.scope, selection)
        )
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


def chunks(
    connection: Connection, work: Work, span: ChunksOf[P], size: ChunkSize
) -> Iterator[tuple[list[Outcome], P | None]]:
    """Refresh chunk by chunk; yield the outcome of each part, and where the next chunk begins, None after the last.

    Args:
        connection: outside of a transaction.
        work: the parameters of the refresh.
        span: chooses the keys of each chunk.
        size: of the first chunk.

    Raises:
        TableLockedError: a whole table was locked at several attempts.

    """
    following = span.start
    is_done = False
    while not is_done:
        try:
            outcomes, reached = chunk(connection, work, span, size, following)
        except (*PASSING_ERRORS, TooSlowError, TableLockedError) as error:
            size.back_off(error)
            continue
        except psycopg.errors.CardinalityViolation as error:
            raise KeyOfSeveralRowsError(work.table, error) from None
        yield outcomes, reached
        following, is_done = reached, reached is None
        size.grow()


def chunk(
    connection: Connection, work: Work, span: ChunksOf[P], size: ChunkSize, after: P | None = None
) -> tuple[list[Outcome], P | None]:
    """Refresh one chunk, in one transaction; return the outcome of each part, and where the next chunk begins."""
    locks, reads = work.locks or [work.table.name], work.reads or work.table.sources
    with refreshing(connection, locks, reads, work.seconds_left, is_shared=work.is_shared):
        with size.choose():
            chosen = span.choose(connection, work.table, after, size.rows)
        outcomes = _outcomes(work, {}, [], 0)
        if chosen.keys:
            with size.refresh():
                outcomes = _refresh_keys(connection, work, chosen, size)
        if work.lease:
            work.lease.renew(connection)
    return outcomes, chosen.next


@dataclass(frozen=True)
class AtOnce:
    """What one statement did: the outcome of each part; what it read in the log, and the watermark, if it moved."""

    outcomes: list[Outcome]
    operations: frozenset[str]
    reached: Watermark | None


def at_once(
    connection: Connection,
    work: Work,
    scope: Changes | Asked,
    selection: Selection | None = None,
    since: Watermark | None = None,
    **more: object,
) -> AtOnce | None:
    """Refresh a scope of a few keys by one statement, in one transaction.

    Args:
        connection: outside of a transaction.
        work: the parameters of the refresh.
        scope: the changes, or what a caller names.
        selection: narrows the keys.
        since: the watermark of the table, which moves unless narrowed; None: it stays.
        more: further parameters of the statement that finds the keys.

    Returns:
        None, if nothing was done: there are more keys, everything has to be read, another run has moved the watermark,
        or the statement failed. Chunks do what it cannot do, or fail with a message that says why.

    """
    if not hooks_of(work.table).may_insert:
        return None
    started = time.monotonic()
    locks, seconds = work.locks or [work.table.name], min(FEW_SECONDS, work.seconds_left)
    done: AtOnce | None = None
    try:
        with refreshing_few(connection, locks, seconds):
            few = few_keys(connection, work.table, scope, selection, **more)
            if few.keys <= FEW_KEYS:
                done = _all_at_once(connection, work, few, since, is_narrowed=selection is not None)
            if done is None:
                raise psycopg.Rollback
            if work.lease:
                work.lease.renew(connection)
    except (psycopg.Error, _UnsettledError) as error:
        is_cancelled = isinstance(error, psycopg.errors.QueryCanceled) and time.monotonic() - started < seconds
        if connection.closed or is_cancelled:  # by an operator: the message of a timeout may be in any language
            raise
        _log.info("%s is refreshed in chunks: %s", work.table.name, error_message(error))
        return None
    return done


def _all_at_once(
    connection: Connection, work: Work, few: FewKeys, since: Watermark | None, *, is_narrowed: bool
) -> AtOnce | None:
    """Refresh a few keys, and move the watermark unless narrowed; return None if that has to be undone."""
    work = replace(work, written_at=few.news["written_at"])
    outcomes = _refresh_few(connection, work, few) if few.keys else _outcomes(work, {}, [], 0)
    if since is None:
        return AtOnce(outcomes, frozenset(), None)
    at = change_log.position(work.table, since, few.news)
    reached = None if at.is_everything or is_narrowed else change_log.store(connection, at)
    is_right = not at.is_everything and (is_narrowed or reached)
    return AtOnce(outcomes, at.operations, reached) if is_right else None


class _UnsettledError(Exception):
    """The application suppressed, changed or deleted rows that the statement inserted."""


def _refresh_few(connection: Connection, work: Work, few: FewKeys) -> list[Outcome]:
    table = work.table
    values = {**work.values, **{f"parent_{column}": parent for column, parent in table.rows.parents}, **few.arrays}
    values |= hooks_of(table).prepare_few(connection, given(table.grain), values)
    [row] = query_prepared(connection, queries.few(table, work.columns, tuple(work.parts.values())), values)
    outcomes = _outcomes(work, row, row["counts"] or [], few.keys)
    if settle := table.own("settle"):
        saved: list[Row] = row["saved"] or []
        if len(saved) != sum(outcome.counts.inserted for outcome in outcomes):
            raise _UnsettledError("the application changes or suppresses rows")
        if saved:
            execute(connection, settle)
            if fetch_one(connection, f"tables/{table.name}/is_lost", saved=Jsonb(saved))["is_lost"]:
                raise _UnsettledError("the application changes or deletes rows that were inserted")
    return outcomes


def columns_of(warehouse: Warehouse, connection: Connection, table: DerivedTable) -> tuple[str, ...]:
    """Return the columns of a table that a refresh computes, in their order, as of the last look at the catalog."""
    columns = warehouse.columns.get(table.name)  # another thread may forget them at any time
    if columns is None:
        names = {"relation": table.target, "inserted": list(table.rows.inserted) or None}
        columns = tuple(fetch_one(connection, "engine/refresh/columns", **names)["columns"])
        warehouse.columns[table.name] = columns
    return columns


def _refresh_keys(connection: Connection, work: Work, chosen: Chosen[Any], size: ChunkSize) -> list[Outcome]:
    """Compare the rows of `keys` with their sources, and write the differences; return the outcome of each part."""
    table = work.table
    names = queries.names_of(table, work.columns)
    execute(connection, table.own("diff") or "engine/refresh/diff", names)
    prepared = hooks_of(table).prepare(connection, is_everything_new=work.counts_drift)
    inherited = tuple(
        row["column_name"] for row in fetch(connection, "engine/refresh/inherited", relation=table.target)
    )
    query = queries.compare(table, work.columns, tuple(work.parts.values()), inherited, is_whole=chosen.is_whole)
    [compared] = connection.execute(query, {**work.values, "is_whole": chosen.is_whole}).fetchall()
    drift = _drift(connection, work, prepared) if work.counts_drift else Counts()
    with size.write():
        size.limit(connection)
        _write(connection, work, size)
        begin(connection, None, LOCK_TIMEOUT)
    outcomes = _outcomes(work, compared, fetch(connection, "engine/refresh/counts", names), chosen.keys)
    outcomes[0].drift = drift
    return outcomes


def _outcomes(work: Work, compared: Row, counts: Sequence[Row], keys: int) -> list[Outcome]:
    """Return the outcome of each part, or of all, from the results of comparing and of writing."""
    done: dict[str, Row] = {row["part"]: row for row in counts}
    odd: list[Row] = compared.get("odd") or []
    present: dict[str, int] = compared.get("present") or {}
    rows_read: dict[str, int] = compared.get("rows_read") or {}
    outcomes: list[Outcome] = []
    for part in [str(part) for part in work.parts] or [""]:
        outcome = Outcome(
            Counts(unchanged=present.get(part, 0)),
            odd=Oddities.of([row for row in odd if row.get("part", "") == part]),
            keys=keys,
            rows_read=rows_read.get(part, 0),
        )
        if row := done.get(part):
            unchanged = present.get(part, 0) - row["updated"] - row["deleted"]
            outcome.counts = Counts(row["inserted"], row["updated"], row["deleted"], unchanged)
            outcome.days, outcome.locked = {date.fromisoformat(day) for day in row["days"]}, row["locked"]
        outcomes.append(outcome)
    return outcomes


def days_of(warehouse: Warehouse, table: DerivedTable) -> list[date]:
    """Return the UTC days of all rows of a table, in order; reads all of it."""
    with warehouse.connection() as connection:
        names = {"target": identifier(table.target), "day": queries.day(table)}
        rows = fetch(connection, "engine/refresh/days", names)
    return [row["day"] for row in rows]


def _write(connection: Connection, work: Work, size: ChunkSize) -> None:
    """Lock the rows of `diff` and the rows they refer to, propagate and write them; log locked ones for retry.

    Raises:
        TooSlowError: locks would be held for too long.

    """
    table, rows = work.table, work.table.rows
    planned = _planned(connection)
    if not planned["rows"]:
        return
    if planned["rows"] > ANALYZED_ROWS:
        connection.execute("analyze pg_temp.diff")
    locked = 0
    if size.is_left_out:
        locked += connection.execute("update diff set change = 'locked'").rowcount
    elif not rows.is_insert_only:
        locked += execute(connection, "engine/refresh/lock_rows", queries.lock_rows(table, "diff")).rowcount
    for column, parent in rows.parents:
        lock, parameters = queries.lock_parents(table, column, "diff"), {f"parent_{column}": parent}
        locked += execute(connection, "engine/refresh/lock_parents", lock, **parameters).rowcount
    if locked:
        locked = _planned(connection)["locked"]
    size.limit(connection)
    if planned["rows"] > locked:
        if insert := table.own("insert"):
            may_insert = {"may_insert": sql.Literal(hooks_of(table).may_insert)}
            execute(connection, insert, queries.names_of(table, work.columns) | may_insert)
        if propagate := queries.propagation(table):
            is_awaited = work.unread_since is not None or _is_awaited(connection, table)
            logged = logs.names(table, work.columns)
            execute(connection, propagate, logged, **{**work.values, "is_awaited": is_awaited})
        execute(connection, "engine/refresh/written", {"write": queries.write(table, work.columns, "saved")})
    if locked and table.grain.has_retries:
        retry = table.own("retry") or "engine/refresh/retry"
        execute(connection, retry, logs.names(table, work.columns), **work.values)


def _is_awaited(connection: Connection, table: DerivedTable) -> bool:
    """Return whether a table follows another which has begun to read it; the others cannot begin before the commit."""
    names = [other.name for other in table.registry.followers(table)]
    return fetch_one(connection, "engine/refresh/is_awaited", followers=names)["is_awaited"]


def _planned(connection: Connection) -> Row:
    """Return how many rows a refresh is going to change, in all."""
    [row] = fetch(connection, "engine/refresh/counts", {"part": sql.SQL("null")}) or [dict.fromkeys(COUNTED, 0)]
    return row


def _drift(connection: Connection, work: Work, prepared: int) -> Counts:
    """Count the rows to change whose keys have no unread change.

    The log is read after the comparison, so that it contains every change which that has seen. The number of rows that
    `prepare` changed counts as drift, too.
    """
    planned = _planned(connection)
    if work.unread_since is None or not (planned["rows"] or prepared):
        return Counts()
    connection.execute("drop table pg_temp.keys")
    pending = Changes(work.unread_since, fetch_one(connection, "engine/log/snapshot")["to_snapshot"])
    if not _choose_pending(connection, work, pending):
        return Counts()
    if not work.table.grain.keyed_by:
        if fetch_one(connection, "engine/reconcile/awaited")["is_any"]:
            return Counts()
        return Counts(planned["inserted"], planned["updated"] + prepared, planned["deleted"])
    is_awaited = queries.own(work.table, "is_present").format(**queries.names_of(work.table))
    return Counts(**fetch_one(connection, "engine/reconcile/drift", {"is_awaited": is_awaited}))


def _choose_pending(connection: Connection, work: Work, pending: Changes) -> bool:
    """Fill `keys` with the keys that have unread changes; return False if every key is unread."""
    table = work.table
    chosen = hooks_of(table).choose_pending(connection, pending, work.parameters)
    if chosen is not None:
        return chosen
    to_snapshot = pending.to_snapshot or fetch_one(connection, "engine/log/snapshot")["to_snapshot"]
    if change_log.is_everything_new(connection, table, pending.from_snapshot, to_snapshot):
        return False
    choose_keys(connection, table, pending)
    if expected := table.own("expected"):
        execute(connection, expected)
    return True
