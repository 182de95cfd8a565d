"""Tables with several sources of one kind, each of which is read by itself."""

import logging
from abc import ABC, abstractmethod
from functools import cache
from importlib import import_module

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.queries import Part
from convo_pipelines.engine.registry import DerivedTable, Registry
from convo_pipelines.engine.scopes import Asked, Selection, Window
from convo_pipelines.engine.work import Done


class Reader(ABC):
    """Refreshes a table whose `table.toml` names a subclass as `reader`."""

    @abstractmethod
    def has_work(self, connection: Connection) -> bool:
        """Whether a tick has something to do, though nothing was logged."""

    @abstractmethod
    def sync(self, connection: Connection) -> bool:
        """Compare its sources with those that are known, and log "everything" of new ones; return whether some are."""

    @abstractmethod
    def example(self, connection: Connection) -> tuple[Part, ...]:
        """Return one source, if there is one."""

    @abstractmethod
    def tick(self, warehouse: Warehouse, log: logging.Logger, selection: Selection | None, wait_seconds: float) -> Done:
        """Read what changed since the last tick, and move the watermark unless narrowed."""

    @abstractmethod
    def tick_leased(self, warehouse: Warehouse, log: logging.Logger, lease: Lease, selection: Selection | None) -> Done:
        """Tick the table under its lease."""

    @abstractmethod
    def backfill(
        self,
        warehouse: Warehouse,
        log: logging.Logger,
        window: Window,
        selection: Selection | None,
        *,
        forget_pruned_days: bool,
    ) -> Done:
        """Refresh a window of whole UTC days."""

    @abstractmethod
    def read_asked(self, warehouse: Warehouse, log: logging.Logger, asked: Asked) -> Done:
        """Refresh what a caller names as a whole; the watermark stays."""

    @abstractmethod
    def compare(self, warehouse: Warehouse, log: logging.Logger) -> Done:
        """Refresh everything, and count changed rows without an unread change as drift."""


def readers(registry: Registry) -> list[Reader]:
    """Return the readers of all tables."""
    return [reader for table in registry if (reader := reader_of(table))]


@cache
def reader_of(table: DerivedTable) -> Reader | None:
    """Return the reader of a table, if it has one."""
    module, _, name = table.reader.partition(":")
    return getattr(import_module(module), name)() if name else None
