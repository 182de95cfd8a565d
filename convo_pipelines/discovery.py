"""Ticks over the crews' histories tables: each crew by its own id watermark, in its own transactions.

A tick looks at the largest id and at the open transactions, then reads everything above the old watermark, and only
then moves it: to the largest id of a moment of which no open transaction is left.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg

from convo_pipelines import transactions
from convo_pipelines.settings import settings
from convo_pipelines.transactions import Candidate
from convo_pipelines.warehouse import (
    POOL_SIZE,
    REFRESHER,
    Connection,
    Counts,
    Row,
    Warehouse,
    fetch,
    fetch_one,
    locked,
)
from convo_pipelines.windows import Window

FIRST_CHUNK_ROWS = 20_000
LARGEST_CHUNK_ROWS = 640_000
QUICK_CHUNK_SECONDS = 2.0
LAST_ID = 2**63 - 1
EMPTY_TABLE = date.max

EXPECTED_COLUMNS = {
    "id": {"smallint", "integer", "bigint"},
    "session_id": {"text", "character varying", "character"},
    "message": {"jsonb", "json"},
    "created_at": {"timestamp with time zone"},
}

ASSET = "histories_sessions"


Frontier = tuple[int, datetime]
"""The largest id of a histories table, and when it was seen."""


class CrewError(Exception):
    """A crew cannot be read; the message names the table and the remedy."""


@dataclass(frozen=True)
class Crew:
    """An active crew and how far its histories table has been read."""

    id: UUID
    code: str
    client_id: UUID
    table_name: str
    watermark_id: int
    is_new_table: bool
    consecutive_failures: int


@dataclass
class CrewResult:
    """How one crew fared: rows of the target by what was done to them, and what somebody should look at."""

    crew: Crew
    counts: Counts = field(default_factory=Counts)
    rows_read: int = 0
    unplaced: int = 0
    unknown_type: int = 0
    caught_up: bool = True
    warnings: list[str] = field(default_factory=list[str])
    error: str | None = None
    milliseconds: int = 0

    def add(self, chunk: "CrewResult") -> None:
        """Add what a committed chunk did."""
        self.counts += chunk.counts
        self.rows_read += chunk.rows_read
        self.unplaced += chunk.unplaced
        self.unknown_type += chunk.unknown_type

    @property
    def warning(self) -> str | None:
        """All warnings as one text."""
        odd = [
            f"{count} rows {what}"
            for count, what in (
                (self.unplaced, "without a session_id or a usable created_at belong to no session and are left out"),
                (self.unknown_type, "whose message has no known type are counted as neither human nor ai"),
            )
            if count
        ]
        return "; ".join([*self.warnings, *odd]) or None


def crews(connection: Connection, codes: Iterable[str] = ()) -> list[Crew]:
    """Return the active crews, by code; only those of the given codes, if any are given.

    Raises:
        CrewError: a code belongs to no active crew.

    """
    wanted = sorted(set(codes)) or None
    found = [Crew(**row) for row in fetch(connection, "discovery/crews", codes=wanted)]
    unknown = set(wanted or ()) - {crew.code for crew in found}
    if unknown:
        known = ", ".join(crew.code for crew in crews(connection)[:20])
        raise CrewError(f"no active crew has the code {', '.join(sorted(unknown))}; there are: {known or 'none'}")
    return found


def for_each_crew(
    warehouse: Warehouse,
    crew_list: Iterable[Crew],
    work: Callable[[Connection, CrewResult], None],
    log: logging.Logger,
) -> list[CrewResult]:
    """Run `work` for several crews at a time, each on its own connection; one that fails does not stop another."""

    def guarded(crew: Crew) -> CrewResult:
        result, started = CrewResult(crew), time.monotonic()
        try:
            with warehouse.connection() as connection:
                work(connection, result)
        except (CrewError, psycopg.Error) as error:
            result.error = str(error).strip() or type(error).__name__
        result.milliseconds = round((time.monotonic() - started) * 1000)
        if result.error:
            _record_failure(warehouse, result)
        log.log(logging.ERROR if result.error else logging.INFO, "%s", describe(result))
        return result

    with ThreadPoolExecutor(POOL_SIZE) as pool:
        return list(pool.map(guarded, crew_list))


def total(results: Iterable[CrewResult]) -> Counts:
    """Add up what was done for all crews."""
    return sum((result.counts for result in results), Counts())


def describe(result: CrewResult) -> str:
    """Return the one log line of a crew's run."""
    counts = result.counts
    line = (
        f"crew {result.crew.code}: {counts.inserted} inserted, {counts.updated} updated, {counts.deleted} deleted, "
        f"{counts.unchanged} unchanged, {result.rows_read} rows read, {result.milliseconds} ms"
    )
    notes = [result.error and f"failed: {result.error}", result.warning, not result.caught_up and "to be continued"]
    return "; ".join([line, *(str(note) for note in notes if note)])


def refresh_window(connection: Connection, result: CrewResult, window: Window, *, forget_pruned_days: bool) -> None:
    """Make one crew's session-days of a window of whole days equal to its histories table."""
    crew = result.crew
    _check_table(connection, result)
    with locked(connection, ASSET, str(crew.id)):
        _begin(connection, crew)
        archived_before = _archive(connection, crew, forget=forget_pruned_days)
        result.counts = _refresh(connection, crew, window, archived_before)
    if archived_before == EMPTY_TABLE:
        result.warnings.append(f"app.{crew.table_name} is empty; the days known of it are kept")
    elif archived_before > window.start.date():
        result.warnings.append(f"days before {archived_before} were pruned from app.{crew.table_name}; they are kept")


def advance(connection: Connection, result: CrewResult) -> None:
    """Read what is new in one crew's histories table, in chunks, until its time is up; then record how it went.

    Raises:
        CrewError: the table cannot be read, or not one chunk could be in the time there is.

    """
    started_at, started = datetime.now(UTC), time.monotonic()
    crew = result.crew

    seconds = settings().crew_timeout_seconds
    _limit(connection, started + seconds)
    try:
        _check_table(connection, result)
        _advance_in_chunks(connection, result, deadline=started + seconds)
    except psycopg.errors.QueryCanceled:
        raise CrewError(
            f"app.{crew.table_name}: not one chunk of rows could be read within {seconds} s; look for locks on it, "
            "or raise CREW_TIMEOUT_SECONDS"
        ) from None
    finally:
        connection.execute("reset statement_timeout")
    fetch(
        connection,
        "discovery/succeeded",
        crew_id=crew.id,
        started_at=started_at,
        milliseconds=round((time.monotonic() - started) * 1000),
        sessions=result.counts.total,
        warning=result.warning,
    )


def has_news(connection: Connection, crew: Crew) -> tuple[date, date] | bool:
    """Ask cheaply whether a tick would find anything in a crew's histories table.

    Returns:
        The first day and the day after the last that the new rows fall in; True where that cannot be told, so that
        the tick itself reports why; False if there is nothing new.

    """
    if crew.is_new_table:
        return True
    try:
        with connection.transaction():
            connection.execute("set local statement_timeout = '1s'")
            frontier = fetch_one(connection, "discovery/frontier", crew.table_name)
            if frontier["newest_id"] == crew.watermark_id and not crew.consecutive_failures:
                return False
            arrived = _new_rows(connection, crew, crew.watermark_id, LAST_ID)
    except psycopg.Error:
        return True
    days = arrived["days"]
    return (days[0].lower, days[-1].upper) if days else True


def _record_failure(warehouse: Warehouse, result: CrewResult) -> None:
    with warehouse.connection() as connection:
        fetch(
            connection,
            "discovery/failed",
            crew_id=result.crew.id,
            table_name=result.crew.table_name,
            milliseconds=result.milliseconds,
            error=result.error,
        )


def _advance_in_chunks(connection: Connection, result: CrewResult, deadline: float) -> None:
    crew = result.crew
    watermark, after, settled, pending = None, 0, 0, None
    rows = FIRST_CHUNK_ROWS
    while True:
        began = time.monotonic()
        _limit(connection, deadline)
        try:
            with locked(connection, ASSET, str(crew.id)):
                state = _begin(connection, crew)
                if watermark is None:
                    watermark = after = state["watermark_id"]
                    settled, pending = _settle(connection, crew, state)
                    if state["restarted"]:
                        result.warnings.append(f"app.{crew.table_name} was truncated or swapped; read from the start")
                elif state["watermark_id"] != watermark:
                    result.warnings.append("another run advanced this crew meanwhile; the next tick continues")
                    return
                ends = fetch(connection, "discovery/chunk", crew.table_name, after_id=after, rows=rows)
                up_to = ends[0]["up_to_id"] if ends else LAST_ID
                chunk = _refresh_rows(connection, crew, after, up_to)
                watermark = max(watermark, min(up_to, settled))
                fetch(
                    connection,
                    "discovery/advance",
                    crew_id=crew.id,
                    watermark_id=watermark,
                    pending_id=pending and pending.position[0],
                    pending_since=pending and pending.position[1],
                    pending_transactions=pending and list(pending.transactions),
                )
        except psycopg.errors.QueryCanceled:
            if result.rows_read == 0:
                raise
            result.caught_up = False
            return
        result.add(chunk)
        if up_to == LAST_ID:
            return
        after = up_to
        if time.monotonic() >= deadline:
            result.caught_up = False
            return
        if time.monotonic() - began < QUICK_CHUNK_SECONDS:
            rows = min(rows * 2, LARGEST_CHUNK_ROWS)


def _begin(connection: Connection, crew: Crew) -> Row:
    return fetch_one(connection, "discovery/begin", crew.table_name, crew_id=crew.id, table_name=crew.table_name)


def _settle(connection: Connection, crew: Crew, state: Row) -> tuple[int, Candidate[Frontier] | None]:
    """Return the id up to which nothing can appear any more, and what is to become it."""
    frontier = fetch_one(connection, "discovery/frontier", crew.table_name)
    waited_for = state["pending_transactions"]
    settled, candidate = transactions.settle(
        (frontier["newest_id"], frontier["seen_at"]),
        None if waited_for is None else Candidate((state["pending_id"], state["pending_since"]), waited_for),
        transactions.look(connection, ignored=REFRESHER),
    )
    return settled[0] if settled else state["watermark_id"], candidate


def _refresh_rows(connection: Connection, crew: Crew, after: int, up_to: int) -> CrewResult:
    arrived = _new_rows(connection, crew, after, up_to)
    chunk = CrewResult(
        crew, rows_read=arrived["row_count"], unplaced=arrived["unplaced"], unknown_type=arrived["unknown_type"]
    )
    if arrived["days"]:
        archived_before = _archive(connection, crew, forget=False)
        for days in arrived["days"]:
            window = Window.of_days(days.lower, days.upper)
            chunk.counts += _refresh(connection, crew, window, archived_before, after, up_to)
    return chunk


def _refresh(
    connection: Connection,
    crew: Crew,
    window: Window,
    archived_before: date,
    after: int | None = None,
    up_to: int | None = None,
) -> Counts:
    row = fetch_one(
        connection,
        "refresh/histories_sessions",
        crew.table_name,
        crew_id=crew.id,
        **window.bounds,
        after_id=after,
        up_to_id=up_to,
        archived_before=archived_before,
    )
    return Counts(**row)


def _new_rows(connection: Connection, crew: Crew, after: int, up_to: int) -> Row:
    return fetch_one(connection, "discovery/new_rows", crew.table_name, after_id=after, up_to_id=up_to)


def _archive(connection: Connection, crew: Crew, *, forget: bool) -> date:
    row = fetch_one(connection, "discovery/archive", crew.table_name, crew_id=crew.id, forget=forget)
    return row["archived_before"]


def _limit(connection: Connection, deadline: float) -> None:
    milliseconds = max(1, round((deadline - time.monotonic()) * 1000))
    connection.execute("select set_config('statement_timeout', %s, false)", [str(milliseconds)])


def _check_table(connection: Connection, result: CrewResult) -> None:
    name = result.crew.table_name
    if not re.fullmatch("[a-z0-9_]+", name):
        raise CrewError(f"histories_table_name {name!r} is not allowed: use lower-case letters, digits and _ only")
    found = fetch(connection, "discovery/table", table_name=name)
    if not found:
        raise CrewError(f"table app.{name} does not exist; create it, or correct histories_table_name of the crew")
    [table] = found
    for column, types in EXPECTED_COLUMNS.items():
        actual = table["columns"].get(column)
        if actual is None:
            raise CrewError(f"table app.{name} has no column {column} ({' or '.join(sorted(types))})")
        if actual not in types:
            raise CrewError(f"column app.{name}.{column} is {actual}; it must be {' or '.join(sorted(types))}")
    if (table["sequence_cache"] or 1) > 1:
        raise CrewError(
            f"the id sequence of app.{name} caches {table['sequence_cache']} values per session, so ids can appear "
            f"long after larger ones; run: alter table app.{name} alter column id set cache 1"
        )
    if not table["has_time_index"]:
        result.warnings.append(
            f"no index on app.{name} (created_at), every refresh reads the whole table; run: "
            f"create index concurrently on app.{name} (created_at)"
        )
