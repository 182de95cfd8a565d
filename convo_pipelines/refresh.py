"""refresh(scope): which keys, recompute them completely, make the table equal, pass it on; chunk by chunk.

Each chunk is a transaction under the table's advisory lock. The same statements serve ticks, backfills and reconcile;
the caller only chooses the scope.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import psycopg

from convo_pipelines import capture, changes
from convo_pipelines.changes import Lease, Look
from convo_pipelines.registry import CREW_CONVERSATIONS, DerivedTable
from convo_pipelines.scopes import EVERYTHING, Changes, Everything, Scope, Window, parameters
from convo_pipelines.warehouse import Connection, Counts, Row, Warehouse, fetch, fetch_one, refreshing

CHUNK_KEYS = 10_000
SMALLEST_CHUNK, LARGEST_CHUNK = 100, 100_000
CHUNK_SECONDS = 1.0
ATTEMPTS = 5

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

PASSING_ERRORS = (
    psycopg.errors.ForeignKeyViolation,  # the application deleted a row under our hands
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)


@dataclass
class Outcome:
    """What a refresh did: rows by what was done to them, UTC days of activity of those rows, and keys looked at.

    `drift` counts changed rows that no unread change in the log accounts for; only reconcile asks for it.
    """

    counts: Counts = field(default_factory=Counts)
    drift: Counts = field(default_factory=Counts)
    days: set[date] = field(default_factory=set[date])
    keys: int = 0
    is_skipped: bool = False

    def add(self, other: "Outcome") -> None:
        """Add what another chunk did."""
        self.counts += other.counts
        self.drift += other.drift
        self.days |= other.days
        self.keys += other.keys


@dataclass(frozen=True)
class Work:
    """What every chunk of one refresh needs to know.

    Attributes:
        table: what is refreshed.
        unread_since: what may still await the table was logged since this snapshot; None: nothing is known.
        is_tick: whether the schedule's tick asks.
        crew_ids: only these crews, or None.
        counts_drift: whether to tell drift from changes that no tick has read yet.
        lease: renewed by each chunk, if there is one.

    """

    table: DerivedTable
    unread_since: str | None
    is_tick: bool = False
    crew_ids: Sequence[object] | None = None
    counts_drift: bool = False
    lease: Lease | None = None


def tick(warehouse: Warehouse, table: DerivedTable, crew_ids: Sequence[object] | None = None) -> Outcome:
    """Refresh what changed since the table's last tick, and move its watermark.

    A table without a watermark is built first: everything, once. Narrowed to some crews, the watermark stays.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    with changes.lease(warehouse, table) as lease:
        if lease is None:
            return Outcome(is_skipped=True)
        capture.sync(warehouse)
        with warehouse.connection() as connection:
            at = changes.look(connection, table)
            outcome = Outcome()
            if at.seen is None and crew_ids is None:
                return _build(warehouse, table, lease)
            work = Work(table, at.unread_since, is_tick=True, crew_ids=crew_ids, lease=lease)
            if at.has_news:
                outcome.add(_chunks(connection, work, at.scope))
            if table.has_days and capture.uncaptured(connection, table.follows):
                outcome.add(_chunks(connection, work, Window.last_two_days()))
            if crew_ids is None:
                _finish(connection, at)
        warehouse.analyze(table.target, outcome.counts)
    return outcome


def backfill(
    warehouse: Warehouse, table: DerivedTable, window: Window, crew_ids: Sequence[object] | None = None
) -> Outcome:
    """Refresh a window. One that holds all there is of a table without a watermark is its first build."""
    with warehouse.connection() as connection:
        capture.sync(warehouse)
        at = changes.look(connection, table)
        is_whole = crew_ids is None and (not table.has_days or _holds_all(connection, window))
        if is_whole and at.seen is None:
            with changes.lease(warehouse, table) as lease:
                if lease:
                    return _build(warehouse, table, lease)
        work = Work(table, at.unread_since, crew_ids=crew_ids)
        outcome = _chunks(connection, work, EVERYTHING if is_whole or not table.has_days else window)
    warehouse.analyze(table.target, outcome.counts)
    return outcome


def compare(warehouse: Warehouse, table: DerivedTable, progress: Callable[[int], object]) -> Outcome:
    """Refresh everything, and count as drift what no unread change accounts for.

    Args:
        warehouse: the database.
        table: what to compare with its sources.
        progress: called with the number of keys done since the last call.

    """
    with warehouse.connection() as connection:
        at = changes.look(connection, table)
        return _chunks(connection, Work(table, at.unread_since, counts_drift=True), EVERYTHING, progress)


def _build(warehouse: Warehouse, table: DerivedTable, lease: Lease) -> Outcome:
    with warehouse.connection() as connection:
        at = changes.begin_build(connection, table)
        outcome = _chunks(connection, Work(table, at.unread_since, lease=lease), EVERYTHING)
        _finish(connection, at)
    warehouse.analyze(at.table.target, outcome.counts)
    return outcome


def _finish(connection: Connection, at: Look) -> None:
    if not changes.store(connection, at):
        _log.warning("%s: another run moved the watermark meanwhile; what this one read is read again", at.table.name)
    changes.trim(connection)


def _holds_all(connection: Connection, window: Window) -> bool:
    span = fetch_one(connection, "refresh/span")
    return span["first"] is None or window.start <= span["first"] <= span["last"] < window.end


def _chunks(
    connection: Connection, work: Work, scope: Scope, progress: Callable[[int], object] = lambda _keys: None
) -> Outcome:
    outcome, after, rows = Outcome(), None, CHUNK_KEYS
    while True:
        began = time.monotonic()
        chunk, last = patiently(lambda after=after, rows=rows: _chunk(connection, work, scope, after, rows))
        outcome.add(chunk)
        progress(chunk.keys)
        if chunk.keys < rows:
            return outcome
        after, rows = last, next_size(rows, time.monotonic() - began)


def next_size(rows: int, seconds: float) -> int:
    """Return how many rows the next chunk should have, so that it takes about a second."""
    factor = min(2.0, max(0.25, CHUNK_SECONDS / max(seconds, 0.001)))
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, int(rows * factor)))


def patiently(chunk: Callable[[], Result]) -> Result:
    """Run a chunk's transaction, again where the application was in the way."""
    for attempt in range(1, ATTEMPTS):
        try:
            return chunk()
        except PASSING_ERRORS as error:
            _log.info("a chunk is tried again: %s", error.diag.message_primary)
            time.sleep(0.05 * attempt)
    return chunk()


def _chunk(
    connection: Connection, work: Work, scope: Scope, after: str | None, rows: int
) -> tuple[Outcome, str | None]:
    table = work.table
    with refreshing(connection, table.name):
        if table is CREW_CONVERSATIONS:
            fetch(connection, "refresh/deleted_conversations", unread_since=work.unread_since)
        keys_of = table.all_keys if isinstance(scope, Everything) else table.name
        choice: dict[str, Any] = parameters(scope) | {"after": after, "rows": rows, "crew_ids": work.crew_ids}
        found = choose_keys(connection, keys_of, **choice)
        chunk = Outcome()
        if found["keys"]:
            fetch(connection, "refresh/changed")
            chunk = measured(connection, found["keys"], _refresh(connection, work, scope))
            if work.counts_drift and chunk.counts.changed:
                chunk.drift = _drift(connection, work)
        if work.lease:
            work.lease.renew(connection)
    return chunk, found["last"]


def choose_keys(connection: Connection, name: str, table: str | None = None, **choice: Any) -> Row:
    """Create the temporary table `keys` by `sql/keys/<name>.sql`; return how many there are and the last's position."""
    fetch(connection, f"keys/{name}", table, **choice)
    connection.execute("analyze keys")
    return fetch_one(connection, "refresh/keys")


def measured(connection: Connection, keys: int, present: int) -> Outcome:
    """Return what the refresh of so many keys did to its table, of which `present` rows were there before."""
    row = fetch_one(connection, "refresh/counts")
    counts = Counts(row["inserted"], row["updated"], row["deleted"], present - row["updated"] - row["deleted"])
    return Outcome(counts, days=set(row["days"]), keys=keys)


def _refresh(connection: Connection, work: Work, scope: Scope) -> int:
    if work.table.all_keys == "every_place":
        from convo_pipelines import participants

        return participants.refresh(connection, renormalize=work.counts_drift)
    row = fetch_one(
        connection,
        f"refresh/{work.table.name}",
        unread_since=work.unread_since,
        is_tick=work.is_tick and isinstance(scope, Changes),
        is_captured=not capture.uncaptured(connection, ["conversations"]),
    )
    return row["present"]


def _drift(connection: Connection, work: Work) -> Counts:
    """Count the changed rows whose keys await no tick: looked up after the refresh, to miss nothing that it saw."""
    if work.unread_since is None:
        return Counts()
    connection.execute("drop table keys")
    now = fetch_one(connection, "state/now")["taken"]
    pending = Changes(work.unread_since, now)
    fetch(connection, f"keys/{work.table.name}", **parameters(pending), after=None, rows=None, crew_ids=None)
    kind = (
        "drift_unless_any"
        if not work.table.has_days
        else ("drift_of_sessions" if work.table is CREW_CONVERSATIONS else "drift_of_ids")
    )
    return Counts(**fetch_one(connection, f"reconcile/{kind}"))
