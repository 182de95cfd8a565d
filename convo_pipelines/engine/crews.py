"""The crews' histories tables, read into `histories_sessions`.

A tick visits the crews with changes: many with few changes in one transaction, one with many in transactions of its
own; if a transaction of many fails, each crew gets its own, too. What failed, was locked or cut off is logged again
before the watermark moves, so that no crew holds up another and nothing is forgotten.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from convo_pipelines.database.warehouse import (
    PASSING_ERRORS,
    POOL_SIZE,
    Connection,
    Counts,
    Row,
    TableLockedError,
    Warehouse,
    execute,
    fetch,
    fetch_one,
    histories,
    refreshing,
    said,
    transaction,
)
from convo_pipelines.engine import change_log, oddities, refresh
from convo_pipelines.engine.change_log import Lease, Look
from convo_pipelines.engine.chunks import Size, TooSlowError
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.refresh import Outcome
from convo_pipelines.engine.registry import HISTORIES_SESSIONS
from convo_pipelines.engine.scopes import (
    AFTER_LAST_DAY,
    FIRST_DAY,
    Changes,
    Narrowing,
    Position,
    Sessions,
    Window,
    parameters,
)
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

CHUNK_KEYS = 5_000
CHUNK_ROWS = 10_000
RELOGGED_KEYS = 1_000
TOGETHER_CREWS, TOGETHER_KEYS = 50, 2_000
"""So many crews with so many changes in all are read in one transaction."""
ALL_KEYS = "9999-12-31 "
DAYS, ASKED = "tables/histories_sessions/days", "tables/histories_sessions/asked"

EXPECTED_COLUMNS = {
    "session_id": {"text", "character varying", "character"},
    "message": {"jsonb", "json"},
    "created_at": {"timestamp with time zone"},
}


class CrewError(ConvoPipelinesError):
    """A crew cannot be read; the message names the table and the remedy."""


class CrewLockedError(CrewError):
    """Somebody has locked the crew's row, as who is about to delete it; or it is gone."""


@dataclass(frozen=True)
class Crew:
    """An active crew and what a tick has to read of its histories table.

    Attributes:
        id: key in app.crews.
        code: its crew_code.
        table_name: its histories table, in app.
        members: oids of the table and its partitions; None if there is no such table.
        mode: captured, or window.
        remark: why it is not captured.
        columns: the table's columns and their types.
        has_time_index: whether created_at is indexed.
        rivals: crews of other clients that would read the same rows.
        changes: how many keys were logged.
        rest_from: the position from which on everything is to be read, as text; None: nothing is.
        has_unplaced: whether rows were written that are left out.
        failures: failed runs since the last success.

    """

    id: UUID
    code: str
    table_name: str
    members: list[int] | None
    mode: str
    remark: str | None
    columns: dict[str, str] | None
    has_time_index: bool
    rivals: str | None
    changes: int
    rest_from: str | None
    has_unplaced: bool
    failures: int

    @property
    def rest(self) -> Position | None:
        """From where on everything is to be read."""
        return Position.parse(self.rest_from) if self.rest_from else None

    @property
    def locked_tables(self) -> list[str]:
        """The tables to lock against changes of their definition while it is read."""
        return ["crews", self.table_name] if self.mode == "captured" else ["crews"]


@dataclass
class CrewResult:
    """How one crew fared, and what somebody should look at.

    What is left undone, unless it has `caught_up`: the keys after the position `after`, and everything from the
    position `rest` on.
    """

    crew: Crew
    outcome: Outcome = field(default_factory=Outcome)
    unplaced: Oddities = field(default_factory=Oddities)
    rows_read: int = 0
    kept_days: int = 0
    after: str | None = None
    rest: Position | None = None
    caught_up: bool = True
    warnings: list[str] = field(default_factory=list[str])
    error: str | None = None
    milliseconds: int = 0

    @property
    def odd(self) -> Oddities:
        """The odd rows that were met: those that are left out, and those that are read otherwise than written."""
        odd = Oddities()
        odd.add(self.unplaced)
        odd.add(self.outcome.odd)
        return odd

    @property
    def warning(self) -> str | None:
        """All warnings as one text."""
        odd = [f"{row['rows']} {row['kind']}" for row in self.odd.table()]
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
    """Return the discovered crews, or those with these codes and of these clients: id, code, table_name, members.

    Raises:
        CrewError: a code belongs to no active crew, or to none of these clients.

    """
    found = fetch(connection, "engine/crews/active", codes=list(codes) or None, clients=list(clients) or None)
    if missing := set(codes) - {row["code"] for row in found}:
        known = fetch(connection, "engine/crews/active", codes=None, clients=list(clients) or None)
        of = f" of {', '.join(clients)}" if clients else ""
        raise CrewError(f"no active crew{of} has the code {', '.join(sorted(missing))}; there are: {_names(known)}")
    return found


def narrow(warehouse: Warehouse, codes: Sequence[str] = (), clients: Sequence[str] = ()) -> Narrowing | None:
    """Return what crews, or clients, with these codes narrow a refresh to; None if there are none.

    With both: these crews, which must be of these clients.

    Raises:
        CrewError: a code belongs to no active crew, or to no client.

    """
    if not codes and not clients:
        return None
    with warehouse.connection() as connection:
        known = fetch(connection, "engine/crews/clients")
        id_of = {row["code"]: row["id"] for row in known}
        if missing := set(clients) - set(id_of):
            raise CrewError(f"no client has the code {', '.join(sorted(missing))}; there are: {_names(known)}")
        found = active(connection, codes, clients)
    return Narrowing(
        tuple(crew["id"] for crew in found),
        () if codes else tuple(id_of[code] for code in clients),
    )


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row["code"] for row in rows[:20]) or "none"


def any_by_window(connection: Connection) -> bool:
    """Whether a tick has a crew to visit whatever the log says: its table is missing, not captured, or new to it."""
    return fetch_one(connection, "engine/crews/by_window")["is_any"]


def tick(
    warehouse: Warehouse, log: logging.Logger, narrowing: Narrowing | None = None
) -> tuple[Outcome, list[CrewResult]]:
    """Read what changed since the last tick, and move the watermark unless narrowed.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    with change_log.lease(warehouse, HISTORIES_SESSIONS) as lease:
        if lease is None:
            return Outcome(is_skipped=True), []
        with warehouse.connection() as connection:
            at = change_log.look(connection, HISTORIES_SESSIONS)
            if at.seen is None and narrowing is None:
                at = change_log.begin_build(connection, HISTORIES_SESSIONS)
            is_any = at.has_news or any_by_window(connection)
            crews = _waiting(connection, at.seen, at.taken, narrowing) if is_any else []

        def read(connection: Connection, results: Sequence[CrewResult]) -> None:
            if len(results) > 1:
                _tick_together(connection, results, at, lease)
            else:
                _tick_crew(connection, results[0], at, lease)

        results = _for_each(warehouse, _together(crews), read, log)
        outcome = total(results)
        if narrowing is None:
            _finish(warehouse, at, results)
        warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
    return outcome, results


def backfill(
    warehouse: Warehouse,
    log: logging.Logger,
    window: Window,
    narrowing: Narrowing | None = None,
    *,
    forget_pruned_days: bool = False,
) -> tuple[Outcome, list[CrewResult]]:
    """Make the session-days of a window of whole UTC days right.

    What failed for a crew is logged again, so that ticks come back to it. A window that holds all rows of all crews is
    the first build of a table without a watermark.
    """
    first, after = max(window.start.date(), FIRST_DAY), min(window.end.date(), AFTER_LAST_DAY)
    with warehouse.connection() as connection:
        at = change_log.look(connection, HISTORIES_SESSIONS)
        is_build = at.seen is None and narrowing is None
        if is_build:
            at = change_log.begin_build(connection, HISTORIES_SESSIONS)
        crews = _waiting(connection, None, at.taken, narrowing)
    reading = _Reading(at.unread_since or at.taken, forget=forget_pruned_days)
    outside: list[str] = []

    def read(connection: Connection, results: Sequence[CrewResult]) -> None:
        [result] = results
        crew = result.crew
        result.caught_up, result.rest = False, Position(first)
        check_table(result)
        _read_days(connection, result, reading, Position(first), after)
        span: dict[str, Any] = {"crew_id": crew.id, "first_day": first, "after_day": after}
        result.kept_days = fetch_one(connection, "tables/histories_sessions/archived_days", **span)["days"]
        if is_build:
            with _refreshing(connection, [crew], reading):
                if fetch_one(connection, "engine/crews/outside", histories(crew.table_name), **span)["is_any"]:
                    outside.append(crew.code)
        result.caught_up = True

    results = _for_each(warehouse, [[crew] for crew in crews], read, log)
    if is_build and not outside:
        _finish(warehouse, at, results)
    else:
        with warehouse.connection() as connection:
            _log_again(connection, at, results)
    outcome = total(results)
    warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
    return outcome, results


def read_sessions(warehouse: Warehouse, log: logging.Logger, asked: Sessions) -> list[CrewResult]:
    """Read the days of these sessions that no tick has read; of a crew that is not read by its log yet, all of them.

    Crews without such days are not among the results. The watermark stays.
    """
    with warehouse.connection() as connection:
        at = change_log.look(connection, HISTORIES_SESSIONS)
        crews = _waiting(connection, at.seen, at.taken, Narrowing(asked.crew_ids))
    scope = parameters(asked) | {"seen": at.seen, "taken": at.taken}

    def read(connection: Connection, results: Sequence[CrewResult]) -> None:
        reading = _Reading(at.unread_since or at.taken, time.monotonic() + settings().crew_timeout_seconds)
        for result in results:
            check_table(result)
        if len(results) > 1:
            _one_chunk(connection, results, reading, HISTORIES_SESSIONS.keys, Size(CHUNK_KEYS), **scope)
            return
        [result] = results
        is_logged = result.crew.mode == "captured" and not result.crew.rest_from
        result.caught_up = False
        with suppress(_TimeIsUpError):
            _read_keys(connection, result, reading, HISTORIES_SESSIONS.keys if is_logged else ASKED, scope)
            result.caught_up = True

    return _for_each(warehouse, _together(crews), read, log, is_recorded=False)


def compare(warehouse: Warehouse, log: logging.Logger) -> tuple[Outcome, list[CrewResult]]:
    """Compare everything with the histories tables, and count as drift what no unread change accounts for."""
    with warehouse.connection() as connection:
        at = change_log.look(connection, HISTORIES_SESSIONS)
        crews = _waiting(connection, None, at.taken)

    def read(connection: Connection, results: Sequence[CrewResult]) -> None:
        [result] = results
        check_table(result)
        reading = _Reading(at.unread_since, counts_drift=result.crew.mode == "captured")
        _count_unplaced(connection, result, reading)
        _read_days(connection, result, reading, Position(FIRST_DAY), AFTER_LAST_DAY)

    results = _for_each(warehouse, [[crew] for crew in crews], read, log, is_all=True)
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


def check_table(result: CrewResult) -> None:
    """See whether a crew's histories table can be read.

    Raises:
        CrewError: it does not exist, lacks a column, or another client's crew reads it, too.

    """
    crew = result.crew
    name = crew.table_name
    if not re.fullmatch("[a-z0-9_]{1,63}", name):
        raise CrewError(
            f"histories_table_name {name!r} is not allowed: use lower-case letters, digits and _ only, 63 at most"
        )
    if crew.columns is None:
        raise CrewError(f"table app.{name} does not exist; create it, or correct histories_table_name of the crew")
    if crew.rivals:
        raise CrewError(
            f"app.{name} is also read by {crew.rivals}; a histories table belongs to one client: correct "
            "histories_table_name of one of them"
        )
    for column, types in EXPECTED_COLUMNS.items():
        actual = crew.columns.get(column)
        if actual is None:
            raise CrewError(
                f"table app.{name} has no column {column} ({' or '.join(sorted(types))}); add it, or correct "
                "histories_table_name of the crew"
            )
        if actual not in types:
            raise CrewError(
                f"column app.{name}.{column} is {actual}; it must be {' or '.join(sorted(types))}: alter it, or "
                "correct histories_table_name of the crew"
            )
    if crew.mode == "window":
        why = crew.remark or "it is not captured yet"
        result.warnings.append(
            f"app.{name} is refreshed by window, the last two days at each tick, the rest nightly: {why}"
        )
    if not crew.has_time_index:
        result.warnings.append(
            f"no index on app.{name} (created_at), every refresh reads the whole table; run: "
            f"create index concurrently on app.{name} (created_at)"
        )


def _waiting(connection: Connection, seen: str | None, taken: str, narrowing: Narrowing | None = None) -> list[Crew]:
    ids = narrowing and list(narrowing.crew_ids)
    rows = fetch(connection, "engine/crews/waiting", seen=seen, taken=taken, crew_ids=ids)
    return [Crew(**row) for row in rows]


def _together(crews: Iterable[Crew]) -> list[list[Crew]]:
    """Group the crews that have but a few changes, so that a transaction serves many of them."""
    groups: list[list[Crew]] = []
    room, keys = 0, 0
    for crew in crews:
        is_easy = crew.mode == "captured" and not (crew.rest_from or crew.failures or crew.rivals)
        if is_easy and room and keys + crew.changes <= TOGETHER_KEYS:
            groups[-1].append(crew)
            room, keys = room - 1, keys + crew.changes
        else:
            groups.append([crew])
            room, keys = (TOGETHER_CREWS - 1, crew.changes) if is_easy else (0, 0)
    return groups


def _for_each(
    warehouse: Warehouse,
    groups: Iterable[list[Crew]],
    work: Callable[[Connection, Sequence[CrewResult]], None],
    log: logging.Logger,
    *,
    is_all: bool = False,
    is_recorded: bool = True,
) -> list[CrewResult]:
    """Run `work` for several groups of crews at a time, each on its own connection.

    Where it fails for a group, it runs for each of its crews; one that fails does not stop another. With `is_all` the
    work is to read everything there is of each crew. How each fared is noted in the database if `is_recorded`.
    """

    def attempt(group: Sequence[Crew]) -> list[CrewResult] | None:
        results = [CrewResult(crew) for crew in group]
        started_at, started = datetime.now(UTC), time.monotonic()
        failure: Exception | None = None
        try:
            with warehouse.connection() as connection:
                work(connection, results)
        except (CrewError, TableLockedError, TooSlowError, psycopg.Error) as error:
            failure = error
        if failure and len(group) > 1:
            return None
        with warehouse.connection() as connection:  # another one, if the first broke
            if isinstance(failure, CrewLockedError):
                results[0].warnings.append(said(failure))
            elif failure:
                is_named = isinstance(failure, TableLockedError) or not isinstance(failure, psycopg.Error)
                results[0].error = said(failure) if is_named else f"app.{group[0].table_name}: {said(failure)}"
            milliseconds = round((time.monotonic() - started) * 1000)
            for result in results:
                result.milliseconds = result.milliseconds if len(group) > 1 else milliseconds
                log.log(logging.ERROR if result.error else logging.INFO, "%s", describe(result))
            if is_recorded:
                _record(connection, results, started_at, is_all=is_all)
        return results

    def guarded(group: Sequence[Crew]) -> list[CrewResult]:
        return attempt(group) or [result for crew in group for result in attempt([crew]) or ()]

    with ThreadPoolExecutor(POOL_SIZE) as pool:
        return [result for results in pool.map(guarded, groups) for result in results]


def _record(connection: Connection, results: Sequence[CrewResult], started_at: datetime, *, is_all: bool) -> None:
    rows = [
        {
            "crew_id": str(result.crew.id),
            "mode": result.crew.mode,
            "started_at": started_at.isoformat(),
            "milliseconds": result.milliseconds,
            "sessions": result.outcome.counts.total,
            "warning": result.warning,
            "error": result.error,
        }
        for result in results
    ]
    met: dict[UUID | None, Oddities] = {result.crew.id: result.odd for result in results if not result.error}
    with suppress(*PASSING_ERRORS), transaction(connection):  # another run of the same crews is noting, too
        execute(connection, "engine/crews/record", results=Jsonb(rows))
        oddities.note(connection, HISTORIES_SESSIONS.name, met, is_all=is_all)


def _tick_together(connection: Connection, results: Sequence[CrewResult], at: Look, lease: Lease) -> None:
    """Read the changes of several crews in one transaction.

    Raises:
        CrewError: one of the tables cannot be read; nothing was done.
        TableLockedError: one of the tables is locked; nothing was done.

    """
    reading = _Reading(at.unread_since or at.taken, time.monotonic() + settings().crew_timeout_seconds, lease)
    for result in results:
        check_table(result)
        _count_unplaced_writes(connection, result, at)
    scope = parameters(Changes(str(at.seen), at.taken))
    _one_chunk(connection, results, reading, HISTORIES_SESSIONS.keys, Size(CHUNK_KEYS), **scope)


def _tick_crew(connection: Connection, result: CrewResult, at: Look, lease: Lease) -> None:
    """Read one crew's changes in chunks, until its time is up.

    Raises:
        CrewError: the table cannot be read, or not one chunk could be in the time there is.
        TableLockedError: the table is locked.

    """
    crew, seconds = result.crew, settings().crew_timeout_seconds
    reading = _Reading(at.unread_since or at.taken, time.monotonic() + seconds, lease)
    result.caught_up, result.rest = False, crew.rest
    check_table(result)
    try:
        _count_unplaced_writes(connection, result, at)
        if crew.changes and at.seen and crew.rest != Position(FIRST_DAY):
            _read_keys(connection, result, reading, HISTORIES_SESSIONS.keys, parameters(Changes(at.seen, at.taken)))
        if crew.rest:
            if crew.rest == Position(FIRST_DAY):
                _count_unplaced(connection, result, reading)
            _read_days(connection, result, reading, crew.rest, AFTER_LAST_DAY)
        if crew.mode == "window":
            window = Window.last_two_days()
            _read_days(connection, result, reading, Position(window.start.date()), window.end.date())
    except TableLockedError:
        raise
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
        if result.outcome.keys == 0:
            if isinstance(error, psycopg.errors.LockNotAvailable):
                raise
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
    with _refreshing(connection, [result.crew], reading):
        result.unplaced = Oddities.of(fetch(connection, "engine/crews/unusable", histories(result.crew.table_name)))


def _count_unplaced_writes(connection: Connection, result: CrewResult, at: Look) -> None:
    """Count the rows that were written since the last tick and are left out."""
    if result.crew.has_unplaced:
        logged = {"seen": at.seen, "taken": at.taken, "members": result.crew.members}
        result.unplaced = Oddities.of(fetch(connection, "engine/crews/unusable_writes", **logged))


class _TimeIsUpError(Exception):
    """A crew has used its time; what it did is committed."""


def _read_keys(connection: Connection, result: CrewResult, reading: _Reading, keys: str, scope: dict[str, Any]) -> None:
    """Read what `keys` chooses of a scope, in chunks."""
    size = Size(CHUNK_KEYS)
    while True:
        found = _chunk(connection, result, reading, keys, size, **(scope | {"after": result.after}))
        if found["keys"] < size.rows:
            result.after = ALL_KEYS
            return
        result.after = found["last"]
        size.grow()
        if time.monotonic() >= reading.deadline:
            raise _TimeIsUpError


def _read_days(connection: Connection, result: CrewResult, reading: _Reading, start: Position, after_day: date) -> None:
    """Read everything from a position on, in chunks of whole days, or of a large day's sessions."""
    size, at = Size(CHUNK_ROWS), Position(max(start.day, FIRST_DAY), start.session)
    while at.day < after_day:
        days = {"start_day": at.day, "end_day": after_day, "after": at.session}
        found = _chunk(connection, result, reading, DAYS, size, **days)
        if found["last"] is None:  # no session of the day is left
            at = Position(at.day + timedelta(days=1))
        else:
            at = Position.parse(found["last"])
            size.grow()
        result.rest = at
        if at.day < after_day and time.monotonic() >= reading.deadline:
            raise _TimeIsUpError


def _chunk(connection: Connection, result: CrewResult, reading: _Reading, keys: str, size: Size, **choice: Any) -> Row:
    while True:
        try:
            found, locked = _one_chunk(connection, [result], reading, keys, size, **(choice | {"rows": size.rows}))
        except (*PASSING_ERRORS, TooSlowError, TableLockedError) as error:
            size.give_way(error)
        else:
            if locked:
                raise CrewLockedError(f"crew {result.crew.code} is locked by somebody: it is left for the next tick")
            return found


def _one_chunk(
    connection: Connection, results: Sequence[CrewResult], reading: _Reading, keys: str, size: Size, **choice: Any
) -> tuple[Row, set[UUID]]:
    """Read what `keys` chooses of these crews' tables, in one transaction, and add it to their results.

    Return how many keys there were and the last one's position, and the crews that were locked.
    """
    crews = [result.crew for result in results]
    with _refreshing(connection, crews, reading):
        with size.choose():
            found = _choose_keys(connection, crews, keys, **choice)
        if not found["keys"]:
            return found, set()
        refresh.prepare(connection, HISTORIES_SESSIONS)
        with size.refresh():
            is_whole = keys == DAYS and Position.parse(found["last"]).session is None
            compared = [_compare(connection, result, reading, is_whole=is_whole) for result in results]
            drift = Counts()
            if reading.counts_drift and reading.unread_since:
                drift = _drift(connection, crews[0], reading.unread_since)
            refresh.write(connection, HISTORIES_SESSIONS, {"present": 0}, size)
        done = {row["crew_id"]: row for row in fetch(connection, "engine/crews/counts")}
        if reading.lease:
            reading.lease.renew(connection)
    for result, row in zip(results, compared, strict=True):
        outcome = refresh.outcome_of(done.get(result.crew.id), row)
        outcome.keys = found["keys"]
        outcome.drift = drift
        result.outcome.add(outcome)
        result.rows_read += row["rows_read"]
        result.caught_up = result.caught_up and not outcome.locked
    return found, {crew_id for crew_id, row in done.items() if row["locked"]}


def _choose_keys(connection: Connection, crews: Sequence[Crew], keys: str, **choice: Any) -> Row:
    if keys in (DAYS, ASKED):
        [crew] = crews
        return refresh.choose_keys(connection, keys, histories(crew.table_name), crew_id=crew.id, **choice)
    return refresh.choose_keys(connection, keys, **(choice | _pairs(crews)))


def _pairs(crews: Sequence[Crew]) -> dict[str, Any]:
    """Return each crew's id with each oid of its table and partitions."""
    pairs = [(crew.id, member) for crew in crews for member in crew.members or ()]
    return {"crew_ids": [crew_id for crew_id, _ in pairs], "oids": [member for _, member in pairs]}


def _refreshing(connection: Connection, crews: Sequence[Crew], reading: _Reading) -> AbstractContextManager[None]:
    locks = [f"{HISTORIES_SESSIONS.name}:{crew.id}" for crew in crews]
    tables = sorted({table for crew in crews for table in crew.locked_tables})
    return refreshing(connection, locks, tables, reading.seconds_left)


def _compare(connection: Connection, result: CrewResult, reading: _Reading, *, is_whole: bool) -> Row:
    crew, started = result.crew, time.monotonic()
    compared = fetch_one(
        connection,
        "tables/histories_sessions/rows",
        histories(crew.table_name),
        is_whole=is_whole,
        crew_id=crew.id,
        members=crew.members,
        unread_since=reading.unread_since,
        archive_after_days=settings().archive_after_days,
        forget=reading.forget,
    )
    result.milliseconds += round((time.monotonic() - started) * 1000)
    return compared


def _drift(connection: Connection, crew: Crew, unread_since: str) -> Counts:
    if not fetch_one(connection, "engine/refresh/counts")["rows"]:
        return Counts()
    connection.execute("drop table keys")
    now = fetch_one(connection, "engine/log/snapshot")["taken"]
    [waiting] = _waiting(connection, unread_since, now, Narrowing((crew.id,))) or [None]
    if waiting and waiting.rest:
        return Counts()
    execute(connection, "tables/histories_sessions/keys", **(parameters(Changes(unread_since, now)) | _pairs([crew])))
    return refresh.count_drift(connection, HISTORIES_SESSIONS)


def _finish(warehouse: Warehouse, at: Look, results: Sequence[CrewResult]) -> None:
    with warehouse.connection() as connection:
        change_log.finish(connection, at, lambda: _log_what_is_left(connection, at, results))


def _log_what_is_left(connection: Connection, at: Look, results: Sequence[CrewResult]) -> None:
    visited = [result.crew.id for result in results]
    execute(connection, "engine/crews/missed", seen=at.seen, taken=at.taken, visited=visited)
    _log_again(connection, at, results)


def _log_again(connection: Connection, at: Look, results: Sequence[CrewResult]) -> None:
    for result in (result for result in results if not result.caught_up and result.crew.members):
        execute(
            connection,
            "tables/histories_sessions/retry",
            members=result.crew.members,
            seen=at.seen,
            taken=at.taken,
            after=result.after,
            most=RELOGGED_KEYS,
            from_day=result.rest and result.rest.day,
            from_session=result.rest and result.rest.session,
        )
