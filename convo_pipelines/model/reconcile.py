"""The full comparison: every derived row against its sources, repaired where it differs.

Ticks read changes from the log, so this is their proof: drift is 0 unless triggers were bypassed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convo_pipelines import logs
from convo_pipelines.database.connections import Row
from convo_pipelines.database.execution import Counts, execute, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.keys import count_keys
from convo_pipelines.engine.readers import reader_of
from convo_pipelines.engine.work import Outcome
from convo_pipelines.model.tables import DERIVED_TABLES, LINK_TABLES


@dataclass(frozen=True)
class Reconciliation:
    """The result of a reconcile: the outcome for each table, with its drift, and the totals afterwards."""

    tables: dict[str, Outcome]
    totals: Row
    failed_crews: list[str]

    @property
    def links(self) -> Counts:
        """The counts of the link tables."""
        return sum((self.tables[table.name].counts for table in LINK_TABLES), Counts())

    @property
    def repairs(self) -> Counts:
        """The counts of all tables: drift, and changes that were written meanwhile."""
        return sum((outcome.counts for outcome in self.tables.values()), Counts())

    @property
    def drift(self) -> Counts:
        """Rows of all tables that differed without an unread change: missing, different, unfounded."""
        return sum((outcome.drift for outcome in self.tables.values()), Counts())


def size(warehouse: Warehouse) -> int:
    """Return how many keys there are to compare, without those of tables with a reader."""
    tables = [table for table in DERIVED_TABLES if not reader_of(table)]
    with warehouse.connection() as connection:
        return sum(count_keys(connection, table) for table in tables)


def run(
    warehouse: Warehouse, log: logging.Logger, progress: Callable[[int], object] = lambda _keys: None
) -> Reconciliation:
    """Tick, compare every derived table with its sources, repair it, and count what was drift by table and kind.

    It works in chunks, each a transaction of its own; ticks continue meanwhile.

    Args:
        warehouse: the database.
        log: gets one line per crew and per table.
        progress: called with the number of keys done since the last call.

    """
    tables: dict[str, Outcome] = {}
    parts: list[Any] = []
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, log)
        outcome, results = ticks.compare(warehouse, table, log, progress)
        parts += results
        tables[table.name] = outcome
        with logs.about(table=table.name):
            log.info("%s: %s, drift %s", table.name, outcome.counts, outcome.drift)
    with warehouse.connection() as connection:
        totals = fetch_one(connection, "model/totals")
        execute(connection, "engine/change_log/fold_latencies")
    failed = sorted({f"{part.name}: {part.error}" for part in parts if part.error})
    return Reconciliation(tables, totals, failed)
