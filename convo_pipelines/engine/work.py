"""What one refresh does: its parameters, which all chunks share, and its outcome."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import Counts, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.queries import Part
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.settings import settings


@dataclass
class Outcome:
    """What a refresh did: the counts of changed rows, UTC days of activity of these rows, and keys compared.

    `drift` counts changed rows without an unread change in the log; only reconcile determines it. `odd` are
    rows that were left out or read otherwise than written, `locked` those that were left for the next tick. `is_build`:
    it was the table's first build, after which every day is right.
    """

    counts: Counts = field(default_factory=Counts)
    drift: Counts = field(default_factory=Counts)
    days: set[date] = field(default_factory=set[date])
    odd: Oddities = field(default_factory=Oddities)
    keys: int = 0
    rows_read: int = 0
    locked: int = 0
    is_skipped: bool = False
    is_build: bool = False

    def __str__(self) -> str:
        """Return in words what was done to rows."""
        left = f", {self.locked:,} locked ones left to the next tick" if self.locked else ""
        return "skipped, another tick is running" if self.is_skipped else f"{self.counts}{left}"

    def add(self, other: "Outcome") -> None:
        """Add what another chunk did."""
        self.counts += other.counts
        self.drift += other.drift
        self.days |= other.days
        self.odd.add(other.odd)
        self.keys += other.keys
        self.rows_read += other.rows_read
        self.locked += other.locked


class Done(NamedTuple):
    """What a refresh did to a table: the outcome in all, and, of a table with a reader, the result of each source."""

    outcome: Outcome
    parts: Sequence[Any]


@dataclass(frozen=True)
class Work:
    """The parameters of all chunks of one refresh.

    Attributes:
        table: what is refreshed.
        columns: the columns that are computed.
        unread_since: changes that the table has not read were logged since this snapshot; None: it was never built.
        is_tick: whether a tick reads changes.
        is_build: whether it is the first build of the table.
        counts_drift: whether to distinguish drift from changes that no tick has read yet.
        lease: renewed by each chunk, if there is one.
        parts: of a table with a reader: the relations that are read, each by its value of the column `part`.
        parameters: further ones of the table's statements.
        is_shared: whether other chunks with its locks may be refreshed at the same time.
        own_locks: the advisory locks of its chunks; none: that of the table.
        own_reads: the tables of `app` that it reads; none: those of the table.
        deadline: when it is to end, by `time.monotonic()`.
        written_at: when the oldest change was made that it reads; None: now.

    """

    table: DerivedTable
    columns: tuple[str, ...]
    unread_since: str | None
    is_tick: bool = False
    is_build: bool = False
    counts_drift: bool = False
    lease: Lease | None = None
    parts: Mapping[UUID, Part] = field(default_factory=dict[UUID, Part])
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    is_shared: bool = False
    own_locks: Sequence[str] = ()
    own_reads: Sequence[str] = ()
    deadline: float = float("inf")
    written_at: datetime | None = None

    @property
    def locks(self) -> Sequence[str]:
        """The advisory locks of its chunks."""
        return self.own_locks or [self.table.name]

    @property
    def reads(self) -> Sequence[str]:
        """The tables of `app` that it reads."""
        return self.own_reads or self.table.sources

    @property
    def seconds_left(self) -> float:
        """How long the next statement may take."""
        return min(settings().refresh_timeout_seconds, max(0.001, self.deadline - time.monotonic()))

    @property
    def values(self) -> dict[str, object]:
        """The parameters of the statements that compare, propagate and log retries."""
        return {
            "unread_since": self.unread_since,
            "is_tick": self.is_tick,
            "is_whole": False,
            "source": self.table.name,
            "written_at": self.written_at,
            "is_awaited": True,
            **{f"part_{number}": part for number, part in enumerate(self.parts)},
            **self.parameters,
        }


def columns_of(warehouse: Warehouse, connection: Connection, table: DerivedTable) -> tuple[str, ...]:
    """Return the columns of a table that a refresh computes, in their order, as of the last look at the catalog."""
    columns = warehouse.columns.get(table.name)  # another thread may forget them at any time
    if columns is None:
        names = {"relation": table.target, "inserted": list(table.rows.inserted) or None}
        columns = tuple(fetch_one(connection, "engine/refresh/columns", **names)["columns"])
        warehouse.columns[table.name] = columns
    return columns
