"""Crews side by side: several in one transaction where that pays, and none that fails stops another."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from convo_pipelines import logs
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, execute
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.transactions import PASSING_ERRORS, transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import oddities
from convo_pipelines.engine.chunk_size import TooSlowError
from convo_pipelines.engine.keys import FEW_KEYS
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.work import Outcome
from convo_pipelines.engine.workers import Workers
from convo_pipelines.model.crews import Crew, CrewError, CrewLockedError, Position
from convo_pipelines.model.tables import HISTORIES_SESSIONS

TOGETHER_CREWS, TOGETHER_KEYS = 50, FEW_KEYS
TOGETHER_ROWS = 10_000
"""At most so many crews, with so many changes or rows in all, are read in one transaction."""


@dataclass
class CrewResult:
    """The result of one crew's run, with its warnings.

    If it has not `caught_up`, the next tick resumes after key `after`, and reads rows from `rest` on again. `is_left`:
    nothing was read, because the crew failed a moment ago.
    """

    crew: Crew
    outcome: Outcome = field(default_factory=Outcome)
    unusable: Oddities = field(default_factory=Oddities)
    kept_days: int = 0
    after: Position | None = None
    rest: Position | None = None
    caught_up: bool = True
    is_left: bool = False
    warnings: list[str] = field(default_factory=list[str])
    error: str | None = None
    milliseconds: int = 0

    @property
    def name(self) -> str:
        """The code of the crew."""
        return self.crew.code

    @property
    def rows_read(self) -> int:
        """The number of messages that were read."""
        return self.outcome.rows_read

    @property
    def odd(self) -> Oddities:
        """The odd rows that were found: those that are left out, and those that are read otherwise than written."""
        odd = Oddities()
        odd.add(self.unusable)
        odd.add(self.outcome.odd)
        return odd

    @property
    def warning(self) -> str | None:
        """All warnings as one text."""
        odd = [f"{row['rows']} {row['kind']}" for row in self.odd.table()]
        kept = [f"{self.kept_days} session-days are archive and were kept"] if self.kept_days else []
        return "; ".join([*self.warnings, *odd, *kept]) or None


def total(results: Iterable[CrewResult]) -> Outcome:
    """Add up the outcomes of all crews."""
    outcome = Outcome()
    for result in results:
        outcome.add(result.outcome)
    return outcome


def describe(result: CrewResult) -> str:
    """Return the log line of a crew's run."""
    counts = result.outcome.counts
    line = (
        f"crew {result.crew.code}: {counts.inserted} inserted, {counts.updated} updated, {counts.deleted} deleted, "
        f"{counts.unchanged} unchanged, {result.rows_read} rows read, {result.milliseconds} ms"
    )
    notes = [result.error and f"failed: {result.error}", result.warning, not result.caught_up and "to be continued"]
    return "; ".join([line, *(str(note) for note in notes if note)])


def together(crews: Iterable[Crew]) -> list[list[Crew]]:
    """Group crews with few changes, and those whose small tables are read as a whole, to read many at a time."""
    groups: list[list[Crew]] = []
    last: dict[bool, tuple[list[Crew], int]] = {}
    for crew in crews:
        is_whole = crew.is_small
        is_easy = crew.mode == "captured" and not (crew.failures or crew.conflicting_crews)
        if not is_easy or (crew.rest and not is_whole):
            groups.append([crew])
            continue
        size, most = (crew.size or 0, TOGETHER_ROWS) if is_whole else (crew.changes, TOGETHER_KEYS)
        group, sizes = last.get(is_whole, ([], most))
        if group and len(group) < TOGETHER_CREWS and sizes + size <= most:
            group.append(crew)
            last[is_whole] = (group, sizes + size)
        else:
            groups.append([crew])
            last[is_whole] = (groups[-1], size)
    return groups


def for_each(
    warehouse: Warehouse,
    groups: Sequence[list[Crew]],
    work: Callable[[Connection, Sequence[CrewResult]], None],
    log: logging.Logger,
    *,
    is_all: bool = False,
    is_recorded: bool = True,
) -> list[CrewResult]:
    """Run `work` for several groups of crews in parallel, each on its own connection.

    If it fails for a group, it is run for each of its crews; a crew that fails does not affect another. `is_all`: the
    work reads everything of each crew. `is_recorded`: store the results in the database. An interrupt of this thread
    interrupts the others.
    """
    workers = Workers(warehouse)

    def attempt(group: Sequence[Crew]) -> list[CrewResult] | None:
        of_crew = {"crew": group[0].code} if len(group) == 1 else {}
        with logs.about(table=HISTORIES_SESSIONS.name, **of_crew):
            return refresh(group)

    def refresh(group: Sequence[Crew]) -> list[CrewResult] | None:
        results = [CrewResult(crew) for crew in group]
        started_at, started = datetime.now(UTC), time.monotonic()
        failure: Exception | None = None
        try:
            with workers.connection() as connection:
                work(connection, results)
        except (CrewError, TableLockedError, TooSlowError, psycopg.Error) as error:
            failure = error
        if failure and len(group) > 1:
            return None
        milliseconds = round((time.monotonic() - started) * 1000)
        with warehouse.connection() as connection:  # another one, if the first broke
            if isinstance(failure, CrewLockedError):
                results[0].warnings.append(error_message(failure))
            elif failure:
                is_named = isinstance(failure, TableLockedError) or not isinstance(failure, psycopg.Error)
                message = error_message(failure)
                results[0].error = message if is_named else f"app.{group[0].table_name}: {message}"
            for result in results:
                result.milliseconds = round(milliseconds / len(group))
                with logs.about(crew=result.crew.code):
                    log.log(logging.ERROR if result.error else logging.INFO, "%s", describe(result))
            if is_recorded:
                _record(connection, results, started_at, is_all=is_all)
        return results

    def guarded(group: Sequence[Crew]) -> list[CrewResult]:
        return attempt(group) or [result for crew in group for result in attempt([crew]) or ()]

    return [result for results in workers.map(guarded, groups) for result in results]


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
        execute(connection, "model/crews/record", results=Jsonb(rows))
        oddities.note(connection, HISTORIES_SESSIONS.name, met, is_all=is_all)
