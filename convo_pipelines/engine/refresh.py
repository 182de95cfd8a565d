"""refresh(scope): choose keys, compare their rows with the sources, lock, write, propagate, log retries; in chunks.

Each chunk is a transaction under the table's advisory lock. It compares first, and locks the rows that it writes last:
rows that another session has locked are left for the next tick, and the application never waits for more than a second.
Ticks, backfills and reconcile use the same statements; the caller only chooses the scope.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import sql

from convo_pipelines.database.statements import fragment
from convo_pipelines.database.warehouse import (
    LOCK_TIMEOUT,
    PASSING_ERRORS,
    Connection,
    Counts,
    Identifiers,
    Row,
    TableLockedError,
    Warehouse,
    begin,
    execute,
    fetch,
    fetch_one,
    identifier,
    refreshing,
)
from convo_pipelines.engine import capture, change_log, oddities
from convo_pipelines.engine.change_log import Lease
from convo_pipelines.engine.chunks import ChunkSize, TooSlowError
from convo_pipelines.engine.keys import Choose, Chosen, P, choose_keys
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
from convo_pipelines.settings import settings

CHUNK_KEYS = 5_000


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


@dataclass(frozen=True)
class Part:
    """The rows that one statement computes: of one crew if each has its own source table, otherwise all of a chunk."""

    crew_id: UUID | None = None
    identifiers: Identifiers = field(default_factory=dict[str, sql.Composable])
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])


ALL = (Part(),)


@dataclass(frozen=True)
class Work:
    """The parameters of all chunks of one refresh.

    Attributes:
        table: what is refreshed.
        columns: the columns that are computed.
        unread_since: changes that the table has not read were logged since this snapshot; None: it was never built.
        is_tick: whether a tick reads changes.
        counts_drift: whether to distinguish drift from changes that no tick has read yet.
        lease: renewed by each chunk, if there is one.
        parts: each is computed by a statement of its own.
        locks: the advisory locks of its chunks; none: that of the table.
        reads: the tables of `app` that it reads; none: those of the table.
        deadline: when it is to end, by `time.monotonic()`.
        choose_pending: chooses the keys of changes that no tick has read yet; returns False if that is everything.

    """

    table: DerivedTable
    columns: tuple[str, ...]
    unread_since: str | None
    is_tick: bool = False
    counts_drift: bool = False
    lease: Lease | None = None
    parts: Sequence[Part] = ALL
    locks: Sequence[str] = ()
    reads: Sequence[str] = ()
    deadline: float = float("inf")
    choose_pending: Callable[[Connection, Changes], bool] | None = None

    @property
    def seconds_left(self) -> float:
        """How long the next statement may take."""
        return min(settings().refresh_timeout_seconds, max(0.001, self.deadline - time.monotonic()))


def tick(warehouse: Warehouse, table: DerivedTable, selection: Selection | None = None) -> Outcome:
    """Refresh what changed since the table's last tick, and move its watermark.

    A table without a watermark is built first: everything, once. Narrowed, the watermark stays.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    with change_log.lease(warehouse, table) as lease:
        if lease is None:
            return Outcome(is_skipped=True)
        with warehouse.connection() as connection:
            at = change_log.look(connection, table)
            outcome = Outcome()
            if at.from_snapshot is None and selection is None:
                return _build(warehouse, table, lease)
            columns = columns_of(connection, table)
            if at.has_news:
                is_tick = isinstance(at.scope, Changes)
                work = Work(table, columns, at.from_snapshot, is_tick=is_tick, lease=lease)
                outcome.add(_refresh(connection, work, at.scope, selection))
            if table.grain.has_days and capture.uncaptured(connection, table.follows):
                work = Work(table, columns, at.from_snapshot, lease=lease)
                outcome.add(_refresh(connection, work, Window.last_two_days(), selection))
            if selection is None:
                change_log.finish(connection, at)
            _note(connection, table, outcome)
        warehouse.analyze(table.target, outcome.counts)
    return outcome


def backfill(warehouse: Warehouse, table: DerivedTable, window: Window, selection: Selection | None = None) -> Outcome:
    """Refresh a window. If it covers all sources of a table without a watermark, this is the first build."""
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        has_days = table.grain.has_days
        is_whole = selection is None and (not has_days or _holds_all(connection, window))
        if is_whole and at.from_snapshot is None:
            with change_log.lease(warehouse, table) as lease:
                if lease:
                    return _build(warehouse, table, lease)
        work = Work(table, columns_of(connection, table), at.from_snapshot)
        outcome = _refresh(connection, work, EVERYTHING if is_whole or not has_days else window, selection)
        _note(connection, table, outcome)
    warehouse.analyze(table.target, outcome.counts)
    return outcome


def read_asked(warehouse: Warehouse, table: DerivedTable, asked: Asked) -> Outcome:
    """Refresh the rows of what a caller names, independent of the log; the watermark stays."""
    with warehouse.connection() as connection:
        unread_since = change_log.unread_since(connection, table)
        return _refresh(connection, Work(table, columns_of(connection, table), unread_since), asked)


def compare(warehouse: Warehouse, table: DerivedTable, progress: Callable[[int], object]) -> Outcome:
    """Refresh everything, and count changed rows without an unread change as drift.

    Args:
        warehouse: the database.
        table: the table to compare with its sources.
        progress: called with the number of keys done since the last call.

    """
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        work = Work(table, columns_of(connection, table), at.from_snapshot, counts_drift=True)
        outcome = _refresh(connection, work, EVERYTHING, progress=progress)
        _note(connection, table, outcome, is_all=True)
    return outcome


def _build(warehouse: Warehouse, table: DerivedTable, lease: Lease) -> Outcome:
    with warehouse.connection() as connection:
        at = change_log.begin_build(connection, table)
        work = Work(table, columns_of(connection, table), at.from_snapshot, lease=lease)
        outcome = _refresh(connection, work, EVERYTHING)
        outcome.is_build = True
        change_log.finish(connection, at)
        _note(connection, table, outcome, is_all=True)
    warehouse.analyze(at.table.target, outcome.counts)
    return outcome


def _note(connection: Connection, table: DerivedTable, outcome: Outcome, *, is_all: bool = False) -> None:
    """Store the odd rows that a run found; of a table whose rows may be refused, all that are refused by now."""
    if refused := table.own("refused"):
        outcome.odd = Oddities.of(fetch(connection, refused, is_all=is_all))
    oddities.note(connection, table.name, {None: outcome.odd}, is_all=is_all or bool(refused))


def _holds_all(connection: Connection, window: Window) -> bool:
    span = fetch_one(connection, "engine/refresh/span")
    return span["first"] is None or window.start <= span["first"] <= span["last"] < window.end


def _refresh(
    connection: Connection,
    work: Work,
    scope: Scope,
    selection: Selection | None = None,
    progress: Callable[[int], object] = lambda _keys: None,
) -> Outcome:
    total = Outcome()

    def choose(connection: Connection, after: Row | None, rows: int) -> Chosen[Row]:
        return choose_keys(connection, work.table, scope, selection, after, rows, unread_since=work.unread_since)

    def note(outcomes: Sequence[Outcome], _next: Row | None) -> None:
        [outcome] = outcomes
        total.add(outcome)
        progress(outcome.keys)

    chunks(connection, work, choose, note, ChunkSize(CHUNK_KEYS))
    return total


def chunks(
    connection: Connection,
    work: Work,
    choose: Choose[P],
    note: Callable[[Sequence[Outcome], P | None], object],
    size: ChunkSize,
    after: P | None = None,
) -> bool:
    """Refresh chunk by chunk until none is left, or the deadline of the work is reached; return whether none is left.

    Args:
        connection: outside of a transaction.
        work: the parameters of the refresh.
        choose: chooses the keys of each chunk.
        note: called after each chunk with the outcome of each part, and the position of the next chunk.
        size: of the first chunk.
        after: where to begin.

    Raises:
        TableLockedError: a whole table was locked at several attempts.

    """
    while True:
        try:
            outcomes, following = chunk(connection, work, choose, size, after)
        except (*PASSING_ERRORS, TooSlowError, TableLockedError) as error:
            size.back_off(error)
            continue
        note(outcomes, following)
        if following is None:
            return True
        after = following
        size.grow()
        if time.monotonic() >= work.deadline:
            return False


def chunk(
    connection: Connection, work: Work, choose: Choose[P], size: ChunkSize, after: P | None = None
) -> tuple[list[Outcome], P | None]:
    """Refresh one chunk, in one transaction; return the outcome of each part, and the position of the next chunk."""
    with refreshing(connection, work.locks or [work.table.name], work.reads or work.table.sources, work.seconds_left):
        with size.choose():
            chosen = choose(connection, after, size.rows)
        outcomes = [Outcome() for _ in work.parts]
        if chosen.keys:
            with size.refresh():
                outcomes = _refresh_keys(connection, work, chosen, size)
        if work.lease:
            work.lease.renew(connection)
    return outcomes, chosen.next


def columns_of(connection: Connection, table: DerivedTable) -> tuple[str, ...]:
    """Return the columns of a table that a refresh computes, in their order."""
    names = {"relation": table.target, "inserted": list(table.rows.inserted) or None}
    return tuple(fetch_one(connection, "engine/refresh/columns", **names)["columns"])


def _refresh_keys(connection: Connection, work: Work, chosen: Chosen[Any], size: ChunkSize) -> list[Outcome]:
    """Compare the rows of `keys` with their sources, and write the differences; return the outcome of each part."""
    execute(connection, work.table.own("diff") or "engine/refresh/diff", names_of(work.table, work.columns))
    prepare = work.table.prepare
    prepared = prepare(connection, work.counts_drift) if prepare else 0
    compared = [_compare(connection, work, part, is_whole=chosen.is_whole) for part in work.parts]
    drift = _drift(connection, work, prepared) if work.counts_drift else Counts()
    with size.write():
        size.limit(connection)
        _write(connection, work, size)
    begin(connection, None, LOCK_TIMEOUT)
    statement = "engine/refresh/counts" if work.parts is ALL else "engine/crews/counts"
    done = {row.get("crew_id"): row for row in fetch(connection, statement)}
    outcomes = [
        _outcome(done.get(part.crew_id), row, chosen.keys) for part, row in zip(work.parts, compared, strict=True)
    ]
    outcomes[0].drift = drift
    return outcomes


def _outcome(done: Row | None, compared: Row, keys: int) -> Outcome:
    """Return the outcome of a part from its counts (None: nothing was changed) and the result of its comparison."""
    outcome = Outcome(
        Counts(unchanged=compared["present"]),
        odd=Oddities.of(compared["odd"]),
        keys=keys,
        rows_read=compared["rows_read"] or 0,
    )
    if done:
        changed = done["updated"] + done["deleted"]
        outcome.counts = Counts(done["inserted"], done["updated"], done["deleted"], compared["present"] - changed)
        outcome.days, outcome.locked = set(done["days"]), done["locked"]
    return outcome


def _compare(connection: Connection, work: Work, part: Part, *, is_whole: bool) -> Row:
    """Write the differences of a part to `diff`; return how many rows there were, and odd rows of the sources."""
    table = work.table
    names = names_of(table, work.columns)
    values = {"unread_since": work.unread_since, "is_tick": work.is_tick, "is_whole": is_whole}

    def of_table(statement: str, default: str | None = None) -> sql.Composable:
        return fragment(table.own(statement) or f"engine/refresh/{default or statement}").format(
            **names, **part.identifiers
        )

    is_different = "is_missing" if table.rows.is_insert_only else "is_any" if table.rows.is_found_again else None
    return fetch_one(
        connection,
        "engine/refresh/compare",
        {
            **names,
            "rows": of_table("rows"),
            "is_present": of_table("present", "is_present"),
            "is_different": of_table(is_different or "is_different"),
            "day": of_table(_day(table, work.columns)),
            "is_news": of_table("is_news"),
            "odd": of_table("odd"),
            "rows_read": of_table("rows_read"),
        },
        retry_source=table.retry_source,
        **values,
        **part.parameters,
    )


def days_of(warehouse: Warehouse, table: DerivedTable) -> list[date]:
    """Return the UTC days of all rows of a table, in order; reads all of it."""
    with warehouse.connection() as connection:
        day = fragment(f"engine/refresh/{_day(table, columns_of(connection, table))}")
        rows = fetch(connection, "engine/refresh/days", {"target": identifier(table.target), "day": day})
    return [row["day"] for row in rows]


def _day(table: DerivedTable, columns: Sequence[str]) -> str:
    """Return the statement that determines the UTC day of a row."""
    if not table.grain.has_days:
        return "no_day"
    if "activity_date" in columns:
        return "day_of_activity"
    return "day_of_start" if "started_at" in columns else "day_of_conversation"


def _write(connection: Connection, work: Work, size: ChunkSize) -> None:
    """Lock the rows of `diff` and the rows they refer to, write and propagate them; log locked ones for retry.

    Raises:
        TooSlowError: locks would be held for too long.

    """
    table, rows, names = work.table, work.table.rows, names_of(work.table, work.columns)
    planned = fetch_one(connection, "engine/refresh/counts")["rows"]
    if not planned:
        return
    locked = 0
    if size.is_left_out:
        locked += connection.execute("update pg_temp.diff set change = 'locked'").rowcount
    elif not rows.is_insert_only:
        locked += execute(connection, "engine/refresh/lock_rows", names).rowcount
    for column, parent in rows.parents:
        name = {"column": sql.Identifier(column)}
        locked += execute(connection, "engine/refresh/lock_parents", name, parent=parent).rowcount
    if locked:
        locked = fetch_one(connection, "engine/refresh/counts")["locked"]
    size.limit(connection)
    if planned > locked:
        if insert := table.own("insert"):
            execute(connection, insert, names)
        execute(connection, table.own("write") or "engine/refresh/write", names)
        if propagate := table.own("propagate") or (table.propagates and "engine/propagate/conversations"):
            execute(connection, propagate, source=table.name, unread_since=work.unread_since)
    if locked and table.grain.retry:
        statement, column = table.grain.retry
        name = {"column": sql.Identifier(column)}
        execute(connection, statement, name, source=table.retry_source, unread_since=work.unread_since)


def names_of(table: DerivedTable, columns: Sequence[str] = ()) -> dict[str, sql.Composable]:
    """Return the identifiers for the placeholders of the engine's statements.

    Args:
        table: the table.
        columns: those that a refresh computes, if the statement needs them.

    """
    rows = table.rows
    key = [sql.Identifier(name) for name in rows.key]
    same = sql.SQL("target.{name} = diff.{name}")
    assigned = [
        sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name))
        for name in columns
        if name not in rows.key
    ]
    if rows.updated_at_column:
        assigned.append(sql.SQL("{} = now()").format(sql.Identifier(rows.updated_at_column)))
    compared = [sql.Identifier(name) if name in rows.key else sql.Identifier("wanted", name) for name in columns]
    return {
        "target": identifier(rows.relation),
        "key": sql.SQL(", ").join(key),
        "first_key": key[0],
        "same_key": sql.SQL(" and ").join(same.format(name=name) for name in key),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "compared": sql.SQL(", ").join(compared),
        "assignments": sql.SQL(", ").join(assigned),
        "keys": sql.SQL(", ").join(sql.Identifier(column) for column, _ in table.grain.keyed_by),
        "keyed": sql.SQL(", ").join(sql.Identifier(column) for _, column in table.grain.keyed_by),
    }


def _drift(connection: Connection, work: Work, prepared: int) -> Counts:
    """Count the rows to change whose keys have no unread change.

    The log is read after the comparison, so that it contains every change which that has seen. The number of rows that
    `prepare` changed counts as drift, too.
    """
    planned = fetch_one(connection, "engine/refresh/counts")
    if work.unread_since is None or not (planned["rows"] or prepared):
        return Counts()
    connection.execute("drop table pg_temp.keys")
    pending = Changes(work.unread_since, fetch_one(connection, "engine/log/snapshot")["to_snapshot"])
    if not (work.choose_pending or _pending_of(work.table))(connection, pending):
        return Counts()
    if not work.table.grain.keyed_by:
        if fetch_one(connection, "engine/reconcile/awaited")["is_any"]:
            return Counts()
        return Counts(planned["inserted"], planned["updated"] + prepared, planned["deleted"])
    is_awaited = fragment(work.table.own("present") or "engine/refresh/is_present").format(**names_of(work.table))
    values = {"is_whole": False, **work.parts[0].parameters}
    return Counts(**fetch_one(connection, "engine/reconcile/drift", {"is_awaited": is_awaited}, **values))


def _pending_of(table: DerivedTable) -> Callable[[Connection, Changes], bool]:
    def choose(connection: Connection, pending: Changes) -> bool:
        follows = [name.split()[0] for name in table.follows]
        span = {"from_snapshot": pending.from_snapshot, "to_snapshot": pending.to_snapshot}
        if fetch_one(connection, "engine/log/news", **span, follows=follows)["is_everything"]:
            return False
        choose_keys(connection, table, pending)
        if expected := table.own("expected"):
            execute(connection, expected)
        return True

    return choose
