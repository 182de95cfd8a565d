"""The crews' histories tables, read into `histories_sessions`.

A tick visits the crews with changes: many crews with few changes in one transaction, a crew with many changes in
transactions of its own. A crew that fails does not affect the others. Keys that failed, were locked or exceeded the
time limit are logged for retry before the watermark moves.
"""

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch, fetch_one, histories
from convo_pipelines.database.transactions import refreshing
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, leases
from convo_pipelines.engine.change_log import LogPosition, Watermark
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.queries import Part
from convo_pipelines.engine.readers import Reader
from convo_pipelines.engine.scopes import (
    AFTER_LAST_DAY,
    FIRST_DAY,
    Asked,
    Selection,
    Window,
)
from convo_pipelines.engine.work import Done, Outcome, columns_of
from convo_pipelines.model.archive import MOVE, remember_prunings
from convo_pipelines.model.crew_chunks import (
    Reading,
    TimeIsUpError,
    count_unusable,
    read_days,
    read_keys,
    read_small_tables,
    read_together,
    tick_crew,
    tick_together,
)
from convo_pipelines.model.crews import (
    Position,
    active,
    any_missing,
    check_table,
    waiting,
)
from convo_pipelines.model.isolation import CrewResult, for_each, together, total
from convo_pipelines.model.tables import HISTORIES_SESSIONS, REGISTRY
from convo_pipelines.settings import settings

RETRIED_KEYS, LEFT_KEYS = 1_000, 20
"""So many keys of a crew at most are logged for retry; those of one that is left alone, by each of many ticks."""


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
        reading = Reading(columns, at.from_snapshot, forget=forget_pruned_days)
        outside: list[str] = []

        def read(connection: Connection, results: Sequence[CrewResult]) -> None:
            change_log.require_no_crash(connection, at)
            [result] = results
            crew = result.crew
            result.caught_up, result.rest = False, Position(first)
            result.warnings += check_table(crew)
            read_days(connection, result, reading, Position(first), after)
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
            reading = Reading(columns, at.from_snapshot, counts_drift=result.crew.mode == "captured")
            count_unusable(connection, [result], reading)
            read_days(connection, result, reading, Position(FIRST_DAY), AFTER_LAST_DAY)

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
        reading = Reading(columns, at.from_snapshot, deadline, lease, written_at=at.written_at)
        if len(results) > 1 and results[0].crew.rest:
            read_small_tables(connection, results, reading)
        elif len(results) > 1:
            tick_together(connection, results, at, reading)
        else:
            tick_crew(connection, results[0], at, reading)

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
        reading = Reading(columns, at.from_snapshot, deadline)
        for result in results:
            result.warnings += check_table(result.crew)
        if len(results) > 1:
            read_together(connection, results, reading, at, asked)
            return
        [result] = results
        is_logged = not is_whole and result.crew.mode == "captured" and not result.crew.rest
        result.caught_up = False
        with suppress(TimeIsUpError):
            read_keys(connection, result, reading, at, asked, is_logged=is_logged)
            result.caught_up = True

    alone = [crew for crew in crews if is_whole or crew.rest]
    groups = [[crew] for crew in alone] + together(crew for crew in crews if crew not in alone)
    return for_each(warehouse, groups, read, log, is_recorded=False)


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
