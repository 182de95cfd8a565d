"""The crews' histories tables, read into `histories_sessions`: each crew in transactions of its own.

A tick visits the crews with changes. What of them failed, was locked or cut off is logged again before the watermark
moves, so that no crew holds up another and nothing is forgotten.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from convo_pipelines import capture, changes
from convo_pipelines.changes import Lease, Look
from convo_pipelines.refresh import Outcome, choose_keys, measured, next_size, patiently
from convo_pipelines.registry import HISTORIES_SESSIONS
from convo_pipelines.scopes import AFTER_LAST_DAY, FIRST_DAY, Changes, Window, parameters
from convo_pipelines.settings import settings
from convo_pipelines.warehouse import POOL_SIZE, Connection, Counts, Row, Warehouse, fetch, fetch_one, refreshing

CHUNK_KEYS = 5_000
CHUNK_ROWS = 50_000
RELOGGED_KEYS = 1_000
ALL_KEYS = "9999-12-31 "

EXPECTED_COLUMNS = {
    "session_id": {"text", "character varying", "character"},
    "message": {"jsonb", "json"},
    "created_at": {"timestamp with time zone"},
}


class CrewError(Exception):
    """A crew cannot be read; the message names the table and the remedy."""


@dataclass(frozen=True)
class Crew:
    """An active crew and what a tick has to read of its histories table.

    Attributes:
        id: key in app.crews.
        code: its crew_code.
        client_id: its client.
        table_name: its histories table, in app.
        members: oids of the table and its partitions; None if there is no such table.
        mode: captured, or window.
        remark: why it is not captured.
        has_keys: whether sessions of it were logged.
        rest_from: everything from this UTC day on is to be read; None: nothing is.
        unplaced: logged writes of rows without a session or a usable time.

    """

    id: UUID
    code: str
    client_id: UUID
    table_name: str
    members: list[int] | None
    mode: str
    remark: str | None
    has_keys: bool
    rest_from: date | None
    unplaced: int


@dataclass
class CrewResult:
    """How one crew fared, and what somebody should look at.

    What is left undone, unless it has `caught_up`: the keys after the position `after`, and everything from the day
    `rest_from` on.
    """

    crew: Crew
    outcome: Outcome = field(default_factory=Outcome)
    rows_read: int = 0
    unknown_type: int = 0
    unplaced: int = 0
    kept_days: int = 0
    after: str | None = None
    rest_from: date | None = None
    caught_up: bool = True
    warnings: list[str] = field(default_factory=list[str])
    error: str | None = None
    milliseconds: int = 0

    @property
    def warning(self) -> str | None:
        """All warnings as one text."""
        odd = [
            f"{count} rows {what}"
            for count, what in (
                (
                    self.unplaced,
                    "without a session_id or a usable created_at are left out",
                ),
                (self.unknown_type, "whose message has no known type are counted as neither human nor ai"),
            )
            if count
        ]
        kept = [f"{self.kept_days} session-days are archive and were kept"] if self.kept_days else []
        return "; ".join([*self.warnings, *odd, *kept]) or None


@dataclass(frozen=True)
class _Reading:
    """What every chunk of one crew's refresh needs to know."""

    unread_since: str | None
    deadline: float = float("inf")
    lease: Lease | None = None
    forget: bool = False
    counts_drift: bool = False

    @property
    def seconds_left(self) -> float:
        """How long the next statement may take."""
        return min(settings().refresh_timeout_seconds, max(0.001, self.deadline - time.monotonic()))


def active(connection: Connection, codes: Iterable[str] = (), clients: Iterable[str] = ()) -> list[Row]:
    """Return the discovered crews, or those with the given codes or clients: id, code, client_code, table_name.

    Raises:
        CrewError: a code belongs to no active crew, or a client has none.

    """
    wanted, owners = sorted(set(codes)), sorted(set(clients))
    found = fetch(connection, "crews/active", codes=wanted or None, clients=owners or None)
    for column, given in (("code", wanted), ("client_code", owners)):
        if missing := set(given) - {row[column] for row in found}:
            known = sorted({row[column] for row in fetch(connection, "crews/active", codes=None, clients=None)})
            what = "active crew has the code" if given is wanted else "client with an active crew has the code"
            raise CrewError(f"no {what} {', '.join(sorted(missing))}; there are: {', '.join(known[:20]) or 'none'}")
    return found


def any_by_window(connection: Connection) -> bool:
    """Whether a tick has a crew to visit whatever the log says: its table is missing, not captured, or new to it."""
    return fetch_one(connection, "crews/by_window")["is_any"]


def tick(warehouse: Warehouse, log: logging.Logger, codes: Sequence[str] = ()) -> tuple[Outcome, list[CrewResult]]:
    """Read what changed since the last tick, of all crews or of some, and move the watermark unless narrowed.

    Raises:
        CrewError: a code belongs to no active crew.
        ChangesError: the log cannot be read on this server.

    """
    with changes.lease(warehouse, HISTORIES_SESSIONS) as lease:
        if lease is None:
            return Outcome(is_skipped=True), []
        capture.sync(warehouse)
        with warehouse.connection() as connection:
            if codes:
                active(connection, codes)
            at = changes.look(connection, HISTORIES_SESSIONS)
            if at.seen is None and not codes:
                at = changes.begin_build(connection, HISTORIES_SESSIONS)
            crews = _waiting(connection, at.seen, at.taken, codes)

        def read(connection: Connection, result: CrewResult) -> None:
            _tick_crew(connection, result, at, lease)

        results = _for_each(warehouse, crews, read, log)
        outcome = total(results)
        if not codes:
            _finish(warehouse, at, results)
        warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
    return outcome, results


def backfill(
    warehouse: Warehouse,
    log: logging.Logger,
    window: Window,
    codes: Sequence[str] = (),
    *,
    forget_pruned_days: bool = False,
) -> tuple[Outcome, list[CrewResult]]:
    """Make the session-days of a window of whole UTC days right, of all crews or of some.

    What failed for a crew is logged again, so that ticks come back to it. A window that holds all rows of all crews is
    the first build of a table without a watermark.

    Raises:
        CrewError: a code belongs to no active crew.

    """
    capture.sync(warehouse)
    first, after = max(window.start.date(), FIRST_DAY), min(window.end.date(), AFTER_LAST_DAY)
    with warehouse.connection() as connection:
        if codes:
            active(connection, codes)
        at = changes.look(connection, HISTORIES_SESSIONS)
        is_build = at.seen is None and not codes
        if is_build:
            at = changes.begin_build(connection, HISTORIES_SESSIONS)
        crews = _waiting(connection, None, at.taken, codes)
    reading = _Reading(at.unread_since or at.taken, forget=forget_pruned_days)
    outside: list[str] = []

    def read(connection: Connection, result: CrewResult) -> None:
        crew = result.crew
        result.caught_up, result.rest_from = False, first
        check_table(connection, result)
        _read_days(connection, result, reading, first, after)
        span: dict[str, Any] = {"crew_id": crew.id, "first_day": first, "after_day": after}
        result.kept_days = fetch_one(connection, "crews/archived_days", **span)["days"]
        if is_build:
            with refreshing(connection, HISTORIES_SESSIONS.name, str(crew.id)):
                if fetch_one(connection, "crews/outside", crew.table_name, **span)["is_any"]:
                    outside.append(crew.code)
        result.caught_up = True

    results = _for_each(warehouse, crews, read, log)
    if is_build and not outside:
        _finish(warehouse, at, results)
    else:
        with warehouse.connection() as connection:
            _log_again(connection, at, results)
    outcome = total(results)
    warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
    return outcome, results


def compare(warehouse: Warehouse, log: logging.Logger) -> tuple[Outcome, list[CrewResult]]:
    """Compare everything with the histories tables, and count as drift what no unread change accounts for."""
    with warehouse.connection() as connection:
        at = changes.look(connection, HISTORIES_SESSIONS)
        crews = _waiting(connection, None, at.taken, ())

    def read(connection: Connection, result: CrewResult) -> None:
        check_table(connection, result)
        reading = _Reading(at.unread_since, counts_drift=result.crew.mode == "captured")
        _count_unplaced(connection, result, reading)
        _read_days(connection, result, reading, FIRST_DAY, AFTER_LAST_DAY)

    results = _for_each(warehouse, crews, read, log)
    return total(results), results


def total(results: Iterable[CrewResult]) -> Outcome:
    """Add up what was done for all crews."""
    outcome = Outcome()
    for result in results:
        outcome.add(result.outcome)
    return outcome


def describe(result: CrewResult) -> str:
    """Return the one log line of a crew's run."""
    counts = result.outcome.counts
    line = (
        f"crew {result.crew.code}: {counts.inserted} inserted, {counts.updated} updated, {counts.deleted} deleted, "
        f"{counts.unchanged} unchanged, {result.rows_read} rows read, {result.milliseconds} ms"
    )
    notes = [result.error and f"failed: {result.error}", result.warning, not result.caught_up and "to be continued"]
    return "; ".join([line, *(str(note) for note in notes if note)])


def check_table(connection: Connection, result: CrewResult) -> None:
    """See whether a crew's histories table can be read.

    Raises:
        CrewError: it does not exist, or lacks a column.

    """
    name = result.crew.table_name
    if not re.fullmatch("[a-z0-9_]+", name):
        raise CrewError(f"histories_table_name {name!r} is not allowed: use lower-case letters, digits and _ only")
    found = fetch(connection, "crews/table", table_name=name)
    if not found:
        raise CrewError(f"table app.{name} does not exist; create it, or correct histories_table_name of the crew")
    [table] = found
    for column, types in EXPECTED_COLUMNS.items():
        actual = table["columns"].get(column)
        if actual is None:
            raise CrewError(f"table app.{name} has no column {column} ({' or '.join(sorted(types))})")
        if actual not in types:
            raise CrewError(f"column app.{name}.{column} is {actual}; it must be {' or '.join(sorted(types))}")
    if result.crew.mode == "window":
        why = result.crew.remark or "it is not captured yet"
        result.warnings.append(
            f"app.{name} is refreshed by window, the last two days at each tick, the rest nightly: {why}"
        )
    if not table["has_time_index"]:
        result.warnings.append(
            f"no index on app.{name} (created_at), every refresh reads the whole table; run: "
            f"create index concurrently on app.{name} (created_at)"
        )


def _waiting(connection: Connection, seen: str | None, taken: str, codes: Sequence[str]) -> list[Crew]:
    rows = fetch(connection, "crews/waiting", seen=seen, taken=taken, codes=list(codes) or None)
    return [Crew(**row) for row in rows]


def _for_each(
    warehouse: Warehouse, crews: Iterable[Crew], work: Callable[[Connection, CrewResult], None], log: logging.Logger
) -> list[CrewResult]:
    """Run `work` for several crews at a time, each on its own connection; one that fails does not stop another."""

    def guarded(crew: Crew) -> CrewResult:
        result, started_at, started = CrewResult(crew), datetime.now(UTC), time.monotonic()
        with warehouse.connection() as connection:
            try:
                work(connection, result)
            except (CrewError, psycopg.Error) as error:
                result.error = str(error).strip() or type(error).__name__
            result.milliseconds = round((time.monotonic() - started) * 1000)
            _record(connection, result, started_at)
        log.log(logging.ERROR if result.error else logging.INFO, "%s", describe(result))
        return result

    with ThreadPoolExecutor(POOL_SIZE) as pool:
        return list(pool.map(guarded, crews))


def _record(connection: Connection, result: CrewResult, started_at: datetime) -> None:
    how: dict[str, Any] = {"crew_id": result.crew.id, "milliseconds": result.milliseconds}
    if result.error:
        fetch(connection, "crews/failed", **how, error=result.error)
    else:
        fetch(
            connection,
            "crews/succeeded",
            **how,
            mode=result.crew.mode,
            started_at=started_at,
            sessions=result.outcome.counts.total,
            warning=result.warning,
        )


def _tick_crew(connection: Connection, result: CrewResult, at: Look, lease: Lease) -> None:
    """Read one crew's changes in chunks, until its time is up.

    Raises:
        CrewError: the table cannot be read, or not one chunk could be in the time there is.

    """
    crew, seconds = result.crew, settings().crew_timeout_seconds
    reading = _Reading(at.unread_since or at.taken, time.monotonic() + seconds, lease)
    result.caught_up, result.rest_from, result.unplaced = False, crew.rest_from, crew.unplaced
    check_table(connection, result)
    try:
        if crew.has_keys and at.seen and crew.rest_from != FIRST_DAY:
            _read_changes(connection, result, reading, Changes(at.seen, at.taken))
        if crew.rest_from:
            _count_unplaced(connection, result, reading)
            _read_days(connection, result, reading, crew.rest_from, AFTER_LAST_DAY)
        if crew.mode == "window":
            window = Window.last_two_days()
            _read_days(connection, result, reading, window.start.date(), window.end.date())
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        if result.outcome.keys == 0:
            raise CrewError(
                f"app.{crew.table_name}: not one chunk of rows could be read within {seconds} s; look for locks on it, "
                "or raise CREW_TIMEOUT_SECONDS"
            ) from None
    except _TimeIsUpError:
        pass
    else:
        result.caught_up = True


def _count_unplaced(connection: Connection, result: CrewResult, reading: _Reading) -> None:
    """Count the rows that are left out, where the whole table is read anyway."""
    crew = result.crew
    with refreshing(connection, HISTORIES_SESSIONS.name, str(crew.id), timeout_seconds=reading.seconds_left):
        result.unplaced = fetch_one(connection, "crews/unplaced", crew.table_name)["rows"]


class _TimeIsUpError(Exception):
    """A crew has used its time; what it did is committed."""


def _read_changes(connection: Connection, result: CrewResult, reading: _Reading, scope: Changes) -> None:
    rows = CHUNK_KEYS
    while True:
        began = time.monotonic()
        found = _chunk(
            connection,
            result,
            reading,
            "histories_sessions",
            **parameters(scope),
            members=result.crew.members,
            after=result.after,
            rows=rows,
        )
        if found["keys"] < rows:
            result.after = ALL_KEYS
            return
        result.after, rows = found["last"], next_size(rows, time.monotonic() - began)
        if time.monotonic() >= reading.deadline:
            raise _TimeIsUpError


def _read_days(connection: Connection, result: CrewResult, reading: _Reading, first: date, after: date) -> None:
    rows, start = CHUNK_ROWS, max(first, FIRST_DAY)
    while start < after:
        began = time.monotonic()
        found = _chunk(connection, result, reading, "days", start_day=start, end_day=after, rows=rows)
        start, rows = date.fromisoformat(found["last"]), next_size(rows, time.monotonic() - began)
        result.rest_from = start
        if start < after and time.monotonic() >= reading.deadline:
            raise _TimeIsUpError


def _chunk(connection: Connection, result: CrewResult, reading: _Reading, keys: str, **choice: Any) -> Row:
    chunk = patiently(lambda: _one_chunk(connection, result.crew, reading, keys, **choice))
    result.outcome.add(chunk.outcome)
    result.rows_read += chunk.rows_read
    result.unknown_type += chunk.unknown_type
    return chunk.found


@dataclass(frozen=True)
class _Chunk:
    """What one transaction did."""

    found: Row
    outcome: Outcome
    rows_read: int = 0
    unknown_type: int = 0


def _one_chunk(connection: Connection, crew: Crew, reading: _Reading, keys: str, **choice: Any) -> _Chunk:
    with refreshing(connection, HISTORIES_SESSIONS.name, str(crew.id), timeout_seconds=reading.seconds_left):
        found = choose_keys(connection, keys, crew.table_name, **choice)
        if not found["keys"]:
            return _Chunk(found, Outcome())
        fetch(connection, "refresh/changed")
        row = fetch_one(
            connection,
            "refresh/histories_sessions",
            crew.table_name,
            is_whole=keys == "days",
            crew_id=crew.id,
            members=crew.members,
            unread_since=reading.unread_since,
            archive_after_days=settings().archive_after_days,
            forget=reading.forget,
        )
        outcome = measured(connection, found["keys"], row["present"])
        if reading.counts_drift and outcome.counts.changed and reading.unread_since:
            outcome.drift = _drift(connection, crew, reading.unread_since)
        if reading.lease:
            reading.lease.renew(connection)
    return _Chunk(found, outcome, row["rows_read"], row["unknown_type"])


def _drift(connection: Connection, crew: Crew, unread_since: str) -> Counts:
    connection.execute("drop table keys")
    now = fetch_one(connection, "state/now")["taken"]
    pending = Changes(unread_since, now)
    [waiting] = _waiting(connection, unread_since, now, [crew.code]) or [None]
    if waiting and waiting.rest_from:
        return Counts()
    fetch(connection, "keys/histories_sessions", members=crew.members, **parameters(pending), after=None, rows=None)
    return Counts(**fetch_one(connection, "reconcile/drift_of_days"))


def _finish(warehouse: Warehouse, at: Look, results: Sequence[CrewResult]) -> None:
    """Move the watermark in the transaction that logs again what was left undone."""
    with warehouse.connection() as connection:
        with connection.transaction():
            changes.archive(connection, at.unread_since)  # of crews that were not visited, too
            _log_again(connection, at, results)
            if not changes.store(connection, at):
                raise psycopg.Rollback
        changes.trim(connection)


def _log_again(connection: Connection, at: Look, results: Sequence[CrewResult]) -> None:
    for result in (result for result in results if not result.caught_up and result.crew.members):
        fetch(
            connection,
            "log/session_rest",
            members=result.crew.members,
            seen=at.seen,
            taken=at.taken,
            after=result.after,
            most=RELOGGED_KEYS,
            from_day=result.rest_from,
        )
