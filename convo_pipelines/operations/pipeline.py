"""The whole pipeline in this process, without Dagster: a tick, a backfill, a reconcile of all derived tables."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import crews, ticks
from convo_pipelines.engine import reconcile as reconciliation
from convo_pipelines.engine.reconcile import Reconciliation
from convo_pipelines.engine.refresh import Outcome
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.engine.scopes import Window
from convo_pipelines.operations import health

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refreshed:
    """What a tick or a backfill did.

    Attributes:
        tables: the outcome of each derived table by name; its `counts` are rows inserted, updated, deleted, unchanged.
        failed_crews: `CODE: error`, one per crew that failed; the other crews are up to date.

    """

    tables: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    failed_crews: list[str] = field(default_factory=list[str])

    def add(self, table: str, done: ticks.Done) -> None:
        """Add what was done to one table."""
        outcome, results = done
        self.tables[table] = outcome
        self.failed_crews.extend(f"{result.crew.code}: {result.error}" for result in results if result.error)


def tick(
    warehouse: Warehouse,
    *,
    crew_codes: Sequence[str] = (),
    client_codes: Sequence[str] = (),
    progress: Callable[[str], object] = lambda _table: None,
) -> Refreshed:
    """Refresh in every derived table what changed since its last tick, as the schedules do.

    Args:
        warehouse: the database.
        crew_codes: only sessions of these crews. Watermarks then stay, so the schedules' next tick repeats the work.
        client_codes: only conversations of these clients; likewise.
        progress: called with the name of each table before it is refreshed.

    Raises:
        SchemaError: the database lacks migrations.
        CrewError: a code belongs to no client, or to no active crew.
        ChangesError: the change log cannot be read on this server.
        TableLockedError: timed out waiting for a lock.

    """
    health.require_schema(warehouse)
    selection, done = crews.select(warehouse, crew_codes, client_codes), Refreshed()
    for table in DERIVED_TABLES:
        progress(table.name)
        done.add(table.name, ticks.tick(warehouse, table, _log, selection))
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
    health.require_schema(warehouse)
    selection, done = crews.select(warehouse, crew_codes, client_codes), Refreshed()
    for table in DERIVED_TABLES:
        progress(table.name)
        done.add(table.name, ticks.backfill(warehouse, table, window, _log, selection))
    return done


def reconcile(warehouse: Warehouse, *, progress: Callable[[int], object] = lambda _keys: None) -> Reconciliation:
    """Compare every derived row with its sources and repair it; return counts by table, drift and totals.

    Args:
        warehouse: the database.
        progress: called with the number of keys compared since the last call.

    Raises:
        SchemaError: the database lacks migrations.
        TableLockedError: timed out waiting for a lock.

    """
    health.require_schema(warehouse)
    return reconciliation.run(warehouse, logging.getLogger(reconciliation.__name__), progress)
