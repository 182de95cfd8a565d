"""The crews' histories tables, read into `histories_sessions`.

A tick visits the crews with changes: many crews with few changes in one transaction, a crew with many changes in
transactions of its own. A crew that fails does not affect the others. Keys that failed, were locked or exceeded the
time limit are logged for retry before the watermark moves.
"""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_one, histories
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.transactions import refreshing
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, chunks, leases
from convo_pipelines.engine.change_log import LogPosition, Watermark
from convo_pipelines.engine.chunk_size import ChunkSize
from convo_pipelines.engine.keys import Chosen, ChunksOf, choose_keys
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.queries import Part
from convo_pipelines.engine.readers import Reader
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import (
    AFTER_LAST_DAY,
    EVERYTHING,
    FIRST_DAY,
    Asked,
    Changes,
    Scope,
    Selection,
    Window,
)
from convo_pipelines.engine.work import Done, Outcome, Work, columns_of
from convo_pipelines.model.archive import ANY_SESSION, MOVE, remember_prunings
from convo_pipelines.model.crews import (
    Crew,
    CrewError,
    CrewLockedError,
    Position,
    active,
    any_missing,
    check_table,
    waiting,
)
from convo_pipelines.model.isolation import CrewResult, for_each, together, total
from convo_pipelines.model.tables import HISTORIES_SESSIONS, REGISTRY
from convo_pipelines.settings import settings

CHUNK_KEYS = 5_000
CHUNK_ROWS = 10_000
RETRIED_KEYS, LEFT_KEYS = 1_000, 20
"""So many keys of a crew at most are logged for retry; those of one that is left alone, by each of many ticks."""
ALL_KEYS = Position(date.max, "")


class _TimeIsUpError(Exception):
    """A crew has reached its time limit; its chunks so far are committed."""


@dataclass(frozen=True)
class _Reading:
    """The parameters of all chunks of a crew's refresh."""

    columns: tuple[str, ...]
    unread_since: str | None
    deadline: float = float("inf")
    lease: Lease | None = None
    forget: bool = False
    counts_drift: bool = False
    written_at: datetime | None = None

    def work(self, crews: Sequence[Crew]) -> Work:
        """Return the work on these crews' tables."""
        return Work(
            HISTORIES_SESSIONS,
            self.columns,
            self.unread_since,
            counts_drift=self.counts_drift,
            lease=self.lease,
            parts={crew.id: ("app", crew.table_name) for crew in crews},
            parameters={
                **_members(crews),
                "archive_after_days": settings().archive_after_days,
                "forget": self.forget,
            },
            own_locks=[f"{HISTORIES_SESSIONS.name}:{crew.id}" for crew in crews],
            own_reads=sorted({table for crew in crews for table in crew.locked_tables}),
            deadline=self.deadline,
            written_at=self.written_at,
        )


def _members(crews: Iterable[Crew]) -> dict[str, Any]:
    """Return crews and the oids of their tables and partitions, pair by pair."""
    pairs = [(crew.id, member) for crew in crews for member in crew.members or ()]
    return {"crew_ids": [crew_id for crew_id, _ in pairs], "oids": [member for _, member in pairs]}


class Histories(Reader):
    """Reads each crew's histories table."""

    def has_work(self, connection: Connection) -> bool:
        """Whether the table of a crew does not exist, which each tick reports."""
        return any_missing(connection)

    def sync(self, connection: Connection) -> bool:
        """Register crews that were activated, name another table or moved to another client, and forget those gone.

        Rows of tables that inherit from `app.crews` are left out, if a foreign key sees none of them.
        """
        execute(connection, "model/crews/gone")
        inherited = fetch(connection, "engine/refresh/inherited", relation="analytics.crew_discovery_state")
        crews = sql.SQL("only app.crews" if inherited else "app.crews")
        return bool(fetch_one(connection, "model/crews/register", {"crews": crews})["crews"])

    def example(self, connection: Connection) -> tuple[Part, ...]:
        """Return the table of the first crew, by its code."""
        return tuple(("app", crew["table_name"]) for crew in active(connection)[:1])

    def tick(self, warehouse: Warehouse, log: logging.Logger, selection: Selection | None, wait_seconds: float) -> Done:
        """Read what changed since the last tick, and move the watermark unless narrowed.

        Raises:
            ChangesError: the log cannot be read on this server.

        """
        with leases.hold(warehouse, [HISTORIES_SESSIONS], wait_seconds) as lease:
            if not lease.tables:
                return Done(Outcome(is_skipped=True), [])
            done = self.tick_leased(warehouse, log, lease, selection)
            if selection is None:
                with warehouse.connection() as connection:
                    change_log.trim(connection, REGISTRY)
        return done

    def tick_leased(self, warehouse: Warehouse, log: logging.Logger, lease: Lease, selection: Selection | None) -> Done:
        """Tick the table under its lease."""
        with warehouse.connection() as connection:
            at = change_log.look(connection, HISTORIES_SESSIONS)
        done = read_changes(warehouse, log, lease, at, selection)
        return Done(done.outcome, done.results)

    def backfill(
        self,
        warehouse: Warehouse,
        log: logging.Logger,
        window: Window,
        selection: Selection | None,
        *,
        forget_pruned_days: bool,
    ) -> Done:
        """Refresh the session-days of a window of whole UTC days.

        What failed for a crew is logged for retry by the next tick. If the table has no watermark, and the window
        covers all rows of all crews, this is its first build.
        """
        first, after = max(window.start.date(), FIRST_DAY), min(window.end.date(), AFTER_LAST_DAY)
        with warehouse.connection() as connection:
            at = change_log.look(connection, HISTORIES_SESSIONS)
            is_build = at.from_snapshot is None and selection is None
            if is_build:
                at = change_log.begin_build(connection, HISTORIES_SESSIONS)
            crews = waiting(connection, None, at.to_snapshot, selection)
            columns = columns_of(warehouse, connection, HISTORIES_SESSIONS)
        reading = _Reading(columns, at.from_snapshot, forget=forget_pruned_days)
        outside: list[str] = []

        def read(connection: Connection, results: Sequence[CrewResult]) -> None:
            change_log.require_no_crash(connection, at)
            [result] = results
            crew = result.crew
            result.caught_up, result.rest = False, Position(first)
            result.warnings += check_table(crew)
            _read_days(connection, result, reading, Position(first), after)
            span: dict[str, Any] = {"crew_id": crew.id, "first_day": first, "after_day": after}
            result.kept_days = fetch_one(connection, "model/histories/archived_days", **span)["days"]
            if is_build:
                work = reading.work([crew])
                with refreshing(connection, work.locks, work.reads, work.seconds_left):
                    if fetch_one(connection, "model/crews/outside", histories(crew.table_name), **span)["is_any"]:
                        outside.append(crew.code)
            result.caught_up = True

        results = for_each(warehouse, [[crew] for crew in crews], read, log)
        if is_build and not outside:
            _finish(warehouse, at, results)
        else:
            with warehouse.connection() as connection:
                _log_retries(connection, at, results)
        outcome = total(results)
        outcome.is_build = is_build and not outside
        warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
        return Done(outcome, results)

    def read_asked(self, warehouse: Warehouse, log: logging.Logger, asked: Asked) -> Done:
        """Read all days of these sessions."""
        results = read_sessions(warehouse, log, asked, is_whole=True)
        return Done(total(results), results)

    def compare(self, warehouse: Warehouse, log: logging.Logger) -> Done:
        """Compare everything with the histories tables, and count changed rows without an unread change as drift."""
        with warehouse.connection() as connection:
            at = change_log.look(connection, HISTORIES_SESSIONS)
            crews = waiting(connection, None, at.to_snapshot)
            columns = columns_of(warehouse, connection, HISTORIES_SESSIONS)

        def read(connection: Connection, results: Sequence[CrewResult]) -> None:
            change_log.require_no_crash(connection, at)
            [result] = results
            result.warnings += check_table(result.crew)
            reading = _Reading(columns, at.from_snapshot, counts_drift=result.crew.mode == "captured")
            _count_unusable(connection, [result], reading)
            _read_days(connection, result, reading, Position(FIRST_DAY), AFTER_LAST_DAY)

        results = for_each(warehouse, [[crew] for crew in crews], read, log, is_all=True)
        return Done(total(results), results)


@dataclass(frozen=True)
class Changed:
    """What reading changes did: the outcome in all, the results of crews, and the watermark, if it moved."""

    outcome: Outcome
    results: list[CrewResult]
    reached: Watermark | None


def read_changes(
    warehouse: Warehouse,
    log: logging.Logger,
    lease: Lease,
    at: LogPosition,
    selection: Selection | None = None,
    *,
    left: Collection[UUID] = (),
) -> Changed:
    """Read what changed up to a position in the log, and move the watermark to it unless narrowed.

    Args:
        warehouse: the database.
        log: gets a line per crew.
        lease: renewed by each chunk.
        at: the position.
        selection: only these crews and clients.
        left: crews that failed a moment ago: their changes are logged for retry.

    """
    with warehouse.connection() as connection:
        is_build = at.from_snapshot is None and selection is None
        if is_build:
            at = change_log.begin_build(connection, HISTORIES_SESSIONS)
        is_any = at.has_news or any_missing(connection)
        crews = waiting(connection, at.from_snapshot, at.to_snapshot, selection) if is_any else []
        columns = columns_of(warehouse, connection, HISTORIES_SESSIONS)
    for_later = [CrewResult(crew, rest=crew.rest, caught_up=False, is_left=True) for crew in crews if crew.id in left]
    crews = [crew for crew in crews if crew.id not in left]

    def read(connection: Connection, results: Sequence[CrewResult]) -> None:
        change_log.require_no_crash(connection, at)
        deadline = time.monotonic() + settings().crew_timeout_seconds
        reading = _Reading(columns, at.from_snapshot, deadline, lease, written_at=at.written_at)
        if len(results) > 1 and results[0].crew.rest:
            _read_small_tables(connection, results, reading)
        elif len(results) > 1:
            _tick_together(connection, results, at, reading)
        else:
            _tick_crew(connection, results[0], at, reading)

    results = for_each(warehouse, together(crews), read, log)
    outcome = total(results)
    outcome.is_build = is_build
    reached = _finish(warehouse, at, [*results, *for_later]) if selection is None else None
    warehouse.analyze(HISTORIES_SESSIONS.target, outcome.counts)
    return Changed(outcome, results, reached)


def read_sessions(
    warehouse: Warehouse, log: logging.Logger, asked: Asked, *, is_whole: bool = False
) -> list[CrewResult]:
    """Read the unread days of these sessions; all their days, if the log does not list a crew's changes.

    Crews without such days are not among the results. The watermark stays. `is_whole`: all days, of all these crews.
    """
    with warehouse.connection() as connection:
        since = change_log.watermark(connection, HISTORIES_SESSIONS)
        at = LogPosition.of(HISTORIES_SESSIONS, since, change_log.look_at_all(connection, None), ())
        unread_since = None if is_whole else at.from_snapshot
        selection = Selection({"crew_ids": asked.parameters["asked_crews"]})
        crews = waiting(connection, unread_since, at.to_snapshot, selection, with_uncaptured=True)
        columns = columns_of(warehouse, connection, HISTORIES_SESSIONS)

    def read(connection: Connection, results: Sequence[CrewResult]) -> None:
        change_log.require_no_crash(connection, at)
        deadline = time.monotonic() + settings().crew_timeout_seconds
        reading = _Reading(columns, at.from_snapshot, deadline)
        for result in results:
            result.warnings += check_table(result.crew)
        if len(results) > 1:
            _read_together(connection, results, reading, at, asked)
            return
        [result] = results
        is_logged = not is_whole and result.crew.mode == "captured" and not result.crew.rest
        result.caught_up = False
        with suppress(_TimeIsUpError):
            _read_keys(connection, result, reading, at, asked, is_logged=is_logged)
            result.caught_up = True

    alone = [crew for crew in crews if is_whole or crew.rest]
    groups = [[crew] for crew in alone] + together(crew for crew in crews if crew not in alone)
    return for_each(warehouse, groups, read, log, is_recorded=False)


def _tick_together(connection: Connection, results: Sequence[CrewResult], at: LogPosition, reading: _Reading) -> None:
    """Read the changes of several crews in one transaction.

    Raises:
        CrewError: one of the tables cannot be read; nothing was done.
        TableLockedError: one of the tables is locked; nothing was done.

    """
    for result in results:
        result.warnings += check_table(result.crew)
        _count_unusable_writes(connection, result, at)
    _read_together(connection, results, reading, at, Changes(str(at.from_snapshot), at.to_snapshot))


def _read_small_tables(connection: Connection, results: Sequence[CrewResult], reading: _Reading) -> None:
    """Read all of several small tables in one transaction.

    Raises:
        CrewError: one of the tables cannot be read; nothing was done.
        TableLockedError: one of the tables is locked; nothing was done.

    """
    crews = [result.crew for result in results]
    for result in results:
        result.warnings += check_table(result.crew)
    _count_unusable(connection, results, reading)

    outcomes, _ = chunks.chunk(connection, reading.work(crews), _Whole(crews), ChunkSize(CHUNK_KEYS))
    for result, outcome in zip(results, outcomes, strict=True):
        result.outcome.add(outcome)
        result.caught_up = not outcome.locked
        result.rest = None if result.caught_up else result.crew.rest


def _read_together(
    connection: Connection, results: Sequence[CrewResult], reading: _Reading, at: LogPosition, scope: Changes | Asked
) -> None:
    crews = [result.crew for result in results]

    work, logged = reading.work(crews), _Logged(scope, _parameters(crews, at, scope), is_single=True)
    done = chunks.at_once(connection, work, scope, **logged.parameters)
    outcomes = done.outcomes if done else chunks.chunk(connection, work, logged, ChunkSize(CHUNK_KEYS))[0]
    for result, outcome in zip(results, outcomes, strict=True):
        result.outcome.add(outcome)
        result.caught_up = not outcome.locked


def _tick_crew(connection: Connection, result: CrewResult, at: LogPosition, reading: _Reading) -> None:
    """Read one crew's changes in chunks, until its time limit.

    Raises:
        CrewError: the table cannot be read, or not one chunk within the time limit.
        TableLockedError: the table is locked.

    """
    crew = result.crew
    result.caught_up, result.rest = False, crew.rest
    result.warnings += check_table(crew)
    try:
        _count_unusable_writes(connection, result, at)
        if crew.changes and at.from_snapshot and crew.rest != Position(FIRST_DAY):
            _read_keys(connection, result, reading, at, Changes(at.from_snapshot, at.to_snapshot))
        if crew.rest:
            if crew.rest == Position(FIRST_DAY):
                _count_unusable(connection, [result], reading)
            _read_days(connection, result, reading, crew.rest, AFTER_LAST_DAY)
    except TableLockedError:
        raise
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
        if result.outcome.keys == 0:
            if isinstance(error, psycopg.errors.LockNotAvailable):
                raise
            seconds = settings().crew_timeout_seconds
            raise CrewError(
                f"app.{crew.table_name}: not one chunk of rows could be read within {seconds} s; look for locks on it, "
                "or raise CREW_TIMEOUT_SECONDS"
            ) from None
    except _TimeIsUpError:
        pass
    else:
        result.caught_up = True


def _count_unusable(connection: Connection, results: Sequence[CrewResult], reading: _Reading) -> None:
    """Count the rows that are left out; for when the whole tables are read anyway."""
    work = reading.work([result.crew for result in results])
    count = fragment("model/crews/unusable")
    counts = [
        count.format(number=sql.Literal(number), **histories(result.crew.table_name))
        for number, result in enumerate(results)
    ]
    with refreshing(connection, work.locks, work.reads, work.seconds_left):
        rows: list[Row] = connection.execute(sql.SQL("\nunion all\n").join(counts)).fetchall()
    for number, result in enumerate(results):
        result.unusable = Oddities.of([row for row in rows if row["number"] == number])


def _count_unusable_writes(connection: Connection, result: CrewResult, at: LogPosition) -> None:
    """Count the rows that were written since the last tick and are left out."""
    if result.crew.has_unusable:
        span = {"from_snapshot": at.from_snapshot, "to_snapshot": at.to_snapshot}
        rows = fetch(connection, "model/crews/unusable_writes", **span, members=result.crew.members)
        result.unusable = Oddities.of(rows)


def _read_keys(
    connection: Connection,
    result: CrewResult,
    reading: _Reading,
    at: LogPosition,
    scope: Changes | Asked,
    *,
    is_logged: bool = True,
) -> None:
    """Read the sessions and days of a scope, in chunks: those that were logged, or all days of the sessions."""
    crew = result.crew
    logged = _parameters([crew], at, scope)
    if is_logged and result.after is None:
        done = chunks.at_once(connection, reading.work([crew]), scope, **logged)
        if done and not done.outcomes[0].locked:
            result.outcome.add(done.outcomes[0])
            result.after = ALL_KEYS
            return
    query = fragment("model/histories/days_of_sessions").format(**histories(crew.table_name))
    more = logged if is_logged else {"query": query, "crew_id": crew.id}
    for reached in _read(connection, result, reading, _Logged(scope, more, result.after), CHUNK_KEYS):
        result.after = reached or ALL_KEYS


def _read_days(connection: Connection, result: CrewResult, reading: _Reading, start: Position, after_day: date) -> None:
    """Read everything from a position on, in chunks of whole days, or of sessions of a large day."""
    start = Position(max(start.day, FIRST_DAY), start.session)
    if start.day >= after_day:
        return
    for reached in _read(connection, result, reading, _Days(result.crew, start, after_day), CHUNK_ROWS):
        result.rest = reached or Position(after_day)


def _read(
    connection: Connection, result: CrewResult, reading: _Reading, span: ChunksOf[Position], rows: int
) -> Iterator[Position | None]:
    """Read chunk by chunk; yield where the next one begins, None after the last.

    Raises:
        CrewLockedError: rows are locked by another session.
        _TimeIsUpError: the deadline is reached, and there is more to read.

    """
    work = reading.work([result.crew])
    for [outcome], reached in chunks.chunks(connection, work, span, ChunkSize(rows)):
        result.outcome.add(outcome)
        if outcome.locked:
            raise CrewLockedError(f"crew {result.crew.code} is locked by another session; the next tick retries it")
        yield reached
        if reached and time.monotonic() >= work.deadline:
            raise _TimeIsUpError


@dataclass(frozen=True)
class _Whole:
    """All sessions and days of small tables, in one chunk."""

    crews: Sequence[Crew]
    start: Position | None = None

    def choose(
        self, connection: Connection, table: DerivedTable, after: Position | None, rows: int
    ) -> Chosen[Position]:
        del after, rows
        query = fragment("model/histories/whole")
        chosen = choose_keys(connection, table, EVERYTHING, query=query, **_members(self.crews))
        return Chosen(chosen.keys, None, is_whole=True)


@dataclass(frozen=True)
class _Logged:
    """The sessions and days of a scope, by the log or by `query`; `is_single`: in one chunk."""

    scope: Scope
    parameters: Mapping[str, Any]
    start: Position | None = None
    is_single: bool = False

    def choose(
        self, connection: Connection, table: DerivedTable, after: Position | None, rows: int
    ) -> Chosen[Position]:
        last = after and {"start_day": after.day, "session_id": after.session, "crew_id": UUID(int=2**128 - 1)}
        most = None if self.is_single else rows
        chosen = choose_keys(connection, table, self.scope, None, last, most, **self.parameters)
        reached = chosen.next
        return Chosen(chosen.keys, Position(reached["start_day"], reached["session_id"]) if reached else None)


@dataclass(frozen=True)
class _Days:
    """Whole days of a crew, as many as hold about so many rows; of a larger day, so many sessions."""

    crew: Crew
    start: Position
    after_day: date

    def choose(
        self, connection: Connection, table: DerivedTable, after: Position | None, rows: int
    ) -> Chosen[Position]:
        at = after or self.start
        chosen = choose_keys(
            connection,
            table,
            Window.of_days(at.day, self.after_day),
            query=fragment("model/histories/days").format(**histories(self.crew.table_name)),
            crew_id=self.crew.id,
            start_day=at.day,
            end_day=self.after_day,
            after_session=at.session,
            most=rows,
        )
        if not chosen.keys:  # no session of the day is left
            following, is_whole = Position(at.day + timedelta(days=1)), False
        else:
            last = fetch_one(connection, "model/histories/reached")
            is_whole = last["session_id"] is None
            following = Position(last["end_day"]) if is_whole else Position(at.day, last["session_id"])
        return Chosen(chosen.keys, following if following.day < self.after_day else None, is_whole)


def _parameters(crews: Sequence[Crew], at: LogPosition, scope: Scope) -> dict[str, Any]:
    """Return the parameters of `keys.sql`: the crews, and the changes that it reads."""
    logged = scope if isinstance(scope, Changes) else Changes(str(at.from_snapshot), at.to_snapshot)
    asked = scope.parameters if isinstance(scope, Asked) else ANY_SESSION
    return {
        **_members(crews),
        **asked,
        "from_snapshot": logged.from_snapshot,
        "to_snapshot": logged.to_snapshot,
    }


def _finish(warehouse: Warehouse, at: LogPosition, results: Sequence[CrewResult]) -> Watermark | None:
    with warehouse.connection() as connection:
        return change_log.finish(connection, at, lambda: _log_what_is_left(connection, at, results))


def _log_what_is_left(connection: Connection, at: LogPosition, results: Sequence[CrewResult]) -> None:
    visited = [result.crew.id for result in results]
    span = {"from_snapshot": at.from_snapshot, "to_snapshot": at.to_snapshot}
    execute(connection, "model/crews/missed", **span, visited=visited)
    if at.may_have_deleted or MOVE in at.operations or any(result.crew.rest for result in results):
        read = [result.crew.id for result in results if result.crew.rest and result.caught_up]
        remember_prunings(connection, at.from_snapshot, read)
    _log_retries(connection, at, results)


def _log_retries(connection: Connection, at: LogPosition, results: Sequence[CrewResult]) -> None:
    for result in (result for result in results if not result.caught_up and result.crew.members):
        execute(
            connection,
            "model/histories/retry",
            members=result.crew.members,
            from_snapshot=at.from_snapshot,
            to_snapshot=at.to_snapshot,
            after_day=result.after and result.after.day,
            after_session=result.after and result.after.session,
            most=LEFT_KEYS if result.is_left else RETRIED_KEYS,
            from_day=result.rest and result.rest.day,
            from_session=result.rest and result.rest.session,
        )
