"""All derived tables in this process, without Dagster: a tick, a backfill, a reconcile, a refresh of one person."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from convo_pipelines.database.execution import fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, ticks
from convo_pipelines.engine.scopes import Asked, Window, parameters
from convo_pipelines.engine.work import Done, Outcome
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model import crews, scopes
from convo_pipelines.model import reconcile as reconciliation
from convo_pipelines.model.reconcile import Reconciliation
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS, PARTICIPANT_RESOLUTIONS, REGISTRY
from convo_pipelines.operations import schema

_log = logging.getLogger(__name__)


class UnknownError(ConvoPipelinesError):
    """There is no such person, conversation or session; the message names it."""


@dataclass(frozen=True)
class Refreshed:
    """What a tick or a backfill did.

    Attributes:
        tables: the outcome of each derived table by name; its `counts` are rows inserted, updated, deleted, unchanged.
        failed_crews: `CODE: error`, one per crew that failed; the other crews are up to date.

    """

    tables: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    failed_crews: list[str] = field(default_factory=list[str])

    def add(self, table: str, done: Done) -> None:
        """Add what was done to one table."""
        outcome, results = done
        self.tables[table] = outcome
        self.failed_crews.extend(f"{result.crew.code}: {result.error}" for result in results if result.error)


def tick(
    warehouse: Warehouse,
    *,
    crew_codes: Sequence[str] = (),
    client_codes: Sequence[str] = (),
    wait_seconds: float = 0,
    progress: Callable[[str], object] = lambda _table: None,
) -> Refreshed:
    """Refresh in every derived table what changed since its last tick, as the schedules do.

    Args:
        warehouse: the database.
        crew_codes: only sessions of these crews. Watermarks then stay, so the schedules' next tick repeats the work.
        client_codes: only conversations of these clients; likewise.
        wait_seconds: how long to wait for the lease of another process; then its tables are skipped.
        progress: called with the name of each table before it is refreshed.

    Raises:
        SchemaError: the database lacks migrations.
        CrewError: a code belongs to no client, or to no active crew.
        ChangesError: the change log cannot be read on this server.
        TableLockedError: timed out waiting for a lock.

    """
    schema.require(warehouse)
    selection, done = crews.select(warehouse, crew_codes, client_codes), Refreshed()
    for name, of_table in ticks.tick_all(warehouse, DERIVED_TABLES, _log, selection, wait_seconds, progress).items():
        done.add(name, of_table)
    return done


def backfill(
    warehouse: Warehouse,
    window: Window,
    *,
    crew_codes: Sequence[str] = (),
    client_codes: Sequence[str] = (),
    progress: Callable[[str], object] = lambda _table: None,
) -> Refreshed:
    """Recompute everything with activity in a window of whole UTC days, in every derived table.

    Args:
        warehouse: the database.
        window: whole UTC days; `Window.around(start, end)` widens any half-open span to them.
        crew_codes: only sessions of these crews.
        client_codes: only conversations of these clients.
        progress: called with the name of each table before it is refreshed.

    Raises:
        SchemaError: the database lacks migrations.
        CrewError: a code belongs to no client, or to no active crew.
        TableLockedError: timed out waiting for a lock.

    """
    schema.require(warehouse)
    selection, done = crews.select(warehouse, crew_codes, client_codes), Refreshed()
    for table in DERIVED_TABLES:
        progress(table.name)
        done.add(table.name, ticks.backfill(warehouse, table, window, _log, selection))
    return done


def refresh_one(
    warehouse: Warehouse,
    *,
    person: UUID | None = None,
    conversation: UUID | None = None,
    session: tuple[str, str] | None = None,
    progress: Callable[[str], object] = lambda _table: None,
) -> Refreshed:
    """Recompute everything about a person, a conversation or a session in every derived table, whatever the log says.

    Tables that sum up many conversations, such as the days of clients, get their tick.

    Args:
        warehouse: the database.
        person: id; all of the person's conversations.
        conversation: id; if it is a crew's, its session, too.
        session: the crew's code, and the session id.
        progress: called with the name of each table before it is refreshed.

    Raises:
        SchemaError: the database lacks migrations.
        UnknownError: there is no such person, conversation or session.
        CrewError: no active crew has the code.
        TableLockedError: timed out waiting for a lock.

    """
    schema.require(warehouse)
    capture.sync(warehouse, REGISTRY)
    asked, done = _asked(warehouse, person, conversation, session), Refreshed()
    for table in DERIVED_TABLES:
        progress(table.name)
        done.add(table.name, ticks.read_asked(warehouse, table, asked, _log))
        if session and table is HISTORIES_SESSIONS and not done.failed_crews and not done.tables[table.name].keys:
            raise UnknownError(f"crew {session[0]} has no session {session[1]!r}")
    return done


def _asked(
    warehouse: Warehouse, person: UUID | None, conversation: UUID | None, session: tuple[str, str] | None
) -> Asked:
    """Return the conversations and sessions to refresh; a person's, once the person's identifiers are up to date."""
    with warehouse.connection() as connection:
        if session:
            code, session_id = session
            [crew] = crews.active(connection, [code])
            return scopes.asked([crew["id"]], [session_id])
        asked = scopes.asked(
            person_ids=[person] if person else [], conversation_ids=[conversation] if conversation else []
        )
        if unknown := fetch(connection, "operations/pipeline/unknown", **parameters(asked)):
            raise UnknownError(", ".join(f"there is no {row['kind']} {row['id']}" for row in unknown))
        if person:
            ticks.read_asked(warehouse, PARTICIPANT_RESOLUTIONS, asked, _log)
        found = fetch(connection, "operations/pipeline/conversations", **parameters(asked))
    sessions = [row for row in found if row["crew_id"] and row["session_id"] is not None]
    return scopes.asked(
        [row["crew_id"] for row in sessions],
        [row["session_id"] for row in sessions],
        [row["conversation_id"] for row in found],
        [person] if person else [],
    )


def reconcile(warehouse: Warehouse, *, progress: Callable[[int], object] = lambda _keys: None) -> Reconciliation:
    """Compare every derived row with its sources and repair it; return counts by table, drift and totals.

    Args:
        warehouse: the database.
        progress: called with the number of keys compared since the last call.

    Raises:
        SchemaError: the database lacks migrations.
        TableLockedError: timed out waiting for a lock.

    """
    schema.require(warehouse)
    return reconciliation.run(warehouse, logging.getLogger(reconciliation.__name__), progress)
