"""The full comparison: every derived row against its sources, repaired where it differs.

It finds what ticks cannot: a deleted message or recipient leaves no time behind.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets import (
    conversation_summaries,
    crew_conversations,
    histories_sessions,
    participant_resolutions,
)
from convo_pipelines.assets.common import refresh_table
from convo_pipelines.discovery import CrewResult, total
from convo_pipelines.warehouse import Counts, Row, Warehouse, fetch, fetch_one
from convo_pipelines.watermarks import Tick
from convo_pipelines.windows import ALL_CONVERSATIONS, EVERYTHING, Slice

NAME = "reconcile"
SLICE_ROWS = 10_000
LINK_TABLES = ("people_conversations", "clients_conversations", "project_conversations")


@dataclass(frozen=True)
class Reconciliation:
    """What a reconcile found: rows per table by what had to be done to them, and the totals afterwards."""

    conversations: int
    tables: dict[str, Counts]
    totals: Row
    failed_crews: list[str]

    @property
    def links(self) -> Counts:
        """The rows of the link tables."""
        return sum((self.tables.get(name, Counts()) for name in LINK_TABLES), Counts())

    @property
    def repairs(self) -> Counts:
        """All tables' rows; what is not `unchanged` was drift."""
        return sum(self.tables.values(), Counts())


def has_news(warehouse: Warehouse) -> bool:
    """Whether anything was written to `app` or `analytics` since the last reconcile began."""
    with warehouse.connection() as connection:
        known = fetch(connection, "changes/known", asset_key=NAME)
        return not known or known[0]["fingerprint"] != fetch_one(connection, "reconcile/written")["fingerprint"]


def size(warehouse: Warehouse) -> int:
    """Return the number of conversations there are to compare."""
    with warehouse.connection() as connection:
        return fetch_one(connection, "reconcile/size")["conversations"]


def run(
    warehouse: Warehouse, log: logging.Logger, progress: Callable[[int], object] = lambda _conversations: None
) -> Reconciliation:
    """Compare every derived table with its sources, repair it, and say what had to be repaired.

    It works through the conversations in slices, each a transaction of its own; ticks go on meanwhile.

    Args:
        warehouse: the database.
        log: gets one line per crew and per table.
        progress: called with the number of conversations done since the last call.

    """
    with warehouse.connection() as connection:
        now = fetch_one(connection, "changes/now")["now"]
        written = fetch_one(connection, "reconcile/written")["fingerprint"]
        crews = discovery.crews(connection)
    tables: dict[str, Counts] = {}

    def add(name: str, counts: Counts) -> None:
        tables[name] = tables.get(name, Counts()) + counts

    sessions = histories_sessions.refresh(warehouse, crews, EVERYTHING, log)
    add("histories_sessions", total(sessions))
    created = crew_conversations.refresh(warehouse, crews, EVERYTHING, log)
    add("crew_conversations", total(created))
    add("participant_resolutions", participant_resolutions.refresh(warehouse, EVERYTHING, renormalize=True))
    done = 0
    for scope, conversations in _slices(warehouse):
        add("conversation_summaries", conversation_summaries.refresh(warehouse, (), scope))
        for name in LINK_TABLES:
            add(name, refresh_table(warehouse, name, scope))
        progress(conversations)
        done += conversations
    add("project_link_inconsistencies", refresh_table(warehouse, "project_link_inconsistencies", EVERYTHING))
    for name, counts in tables.items():
        log.info("%s: %s", name, counts)
    with warehouse.connection() as connection:
        watermarks.finish(connection, Tick(NAME, EVERYTHING, now, written, pending=None))
        totals = fetch_one(connection, "reconcile/totals")
    return Reconciliation(done, tables, totals, _failed(sessions + created))


def _slices(warehouse: Warehouse) -> Iterator[tuple[Slice, int]]:
    after: UUID | None = ALL_CONVERSATIONS.after
    while after:
        with warehouse.connection() as connection:
            found = fetch_one(connection, "reconcile/slice", after=after, rows=SLICE_ROWS)
        if found["up_to"]:
            yield Slice(after, found["up_to"]), found["conversations"]
        after = found["up_to"]


def _failed(results: list[CrewResult]) -> list[str]:
    return sorted({f"{result.crew.code}: {result.error}" for result in results if result.error})
