"""The tables of crews, chunk by chunk: those of one, or several together."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch, fetch_one, histories
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.transactions import refreshing
from convo_pipelines.engine import chunks
from convo_pipelines.engine.change_log import LogPosition
from convo_pipelines.engine.chunk_size import ChunkSize
from convo_pipelines.engine.keys import Chosen, ChunksOf, choose_keys
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import (
    AFTER_LAST_DAY,
    EVERYTHING,
    FIRST_DAY,
    Asked,
    Changes,
    Scope,
    Window,
)
from convo_pipelines.engine.work import Work
from convo_pipelines.model.archive import ANY_SESSION
from convo_pipelines.model.crews import (
    Crew,
    CrewError,
    CrewLockedError,
    Position,
    check_table,
)
from convo_pipelines.model.isolation import CrewResult
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines.settings import settings

CHUNK_KEYS = 5_000
CHUNK_ROWS = 10_000

ALL_KEYS = Position(date.max, "")


class TimeIsUpError(Exception):
    """A crew has reached its time limit; its chunks so far are committed."""


@dataclass(frozen=True)
class Reading:
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


def tick_together(connection: Connection, results: Sequence[CrewResult], at: LogPosition, reading: Reading) -> None:
    """Read the changes of several crews in one transaction.

    Raises:
        CrewError: one of the tables cannot be read; nothing was done.
        TableLockedError: one of the tables is locked; nothing was done.

    """
    for result in results:
        result.warnings += check_table(result.crew)
        _count_unusable_writes(connection, result, at)
    read_together(connection, results, reading, at, Changes(str(at.from_snapshot), at.to_snapshot))


def read_small_tables(connection: Connection, results: Sequence[CrewResult], reading: Reading) -> None:
    """Read all of several small tables in one transaction.

    Raises:
        CrewError: one of the tables cannot be read; nothing was done.
        TableLockedError: one of the tables is locked; nothing was done.

    """
    crews = [result.crew for result in results]
    for result in results:
        result.warnings += check_table(result.crew)
    count_unusable(connection, results, reading)

    outcomes, _ = chunks.chunk(connection, reading.work(crews), _Whole(crews), ChunkSize(CHUNK_KEYS))
    for result, outcome in zip(results, outcomes, strict=True):
        result.outcome.add(outcome)
        result.caught_up = not outcome.locked
        result.rest = None if result.caught_up else result.crew.rest


def read_together(
    connection: Connection, results: Sequence[CrewResult], reading: Reading, at: LogPosition, scope: Changes | Asked
) -> None:
    """Read a scope of several crews in one transaction."""
    crews = [result.crew for result in results]

    work, logged = reading.work(crews), _Logged(scope, _parameters(crews, at, scope), is_single=True)
    done = chunks.at_once(connection, work, scope, **logged.parameters)
    outcomes = done.outcomes if done else chunks.chunk(connection, work, logged, ChunkSize(CHUNK_KEYS))[0]
    for result, outcome in zip(results, outcomes, strict=True):
        result.outcome.add(outcome)
        result.caught_up = not outcome.locked


def tick_crew(connection: Connection, result: CrewResult, at: LogPosition, reading: Reading) -> None:
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
            read_keys(connection, result, reading, at, Changes(at.from_snapshot, at.to_snapshot))
        if crew.rest:
            if crew.rest == Position(FIRST_DAY):
                count_unusable(connection, [result], reading)
            read_days(connection, result, reading, crew.rest, AFTER_LAST_DAY)
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
    except TimeIsUpError:
        pass
    else:
        result.caught_up = True


def count_unusable(connection: Connection, results: Sequence[CrewResult], reading: Reading) -> None:
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


def read_keys(
    connection: Connection,
    result: CrewResult,
    reading: Reading,
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


def read_days(connection: Connection, result: CrewResult, reading: Reading, start: Position, after_day: date) -> None:
    """Read everything from a position on, in chunks of whole days, or of sessions of a large day."""
    start = Position(max(start.day, FIRST_DAY), start.session)
    if start.day >= after_day:
        return
    for reached in _read(connection, result, reading, _Days(result.crew, start, after_day), CHUNK_ROWS):
        result.rest = reached or Position(after_day)


def _read(
    connection: Connection, result: CrewResult, reading: Reading, span: ChunksOf[Position], rows: int
) -> Iterator[Position | None]:
    """Read chunk by chunk; yield where the next one begins, None after the last.

    Raises:
        CrewLockedError: rows are locked by another session.
        TimeIsUpError: the deadline is reached, and there is more to read.

    """
    work = reading.work([result.crew])
    for [outcome], reached in chunks.chunks(connection, work, span, ChunkSize(rows)):
        result.outcome.add(outcome)
        if outcome.locked:
            raise CrewLockedError(f"crew {result.crew.code} is locked by another session; the next tick retries it")
        yield reached
        if reached and time.monotonic() >= work.deadline:
            raise TimeIsUpError


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
