"""Tables of one's own, in folders of a test; and what their SELECT says that they should be."""

import logging
from pathlib import Path
from typing import Any

from psycopg import sql

from convo_pipelines.authoring import application, compilation
from convo_pipelines.database import declarations
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DerivedTable, Registry
from convo_pipelines.engine.work import Done
from convo_pipelines_tests.world import World

LOG = logging.getLogger("test")


class OwnTables:
    """The tables in a folder that CONVO_TABLES names, in a database."""

    def __init__(self, world: World, folder: Path):
        self.world, self.folder = world, folder
        self.registry = Registry(declarations.tables(), declarations.logs())

    def write(self, name: str, rows: str) -> None:
        """Write a `rows.sql`."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "rows.sql").write_text(rows)

    def plan(self, name: str) -> application.Step:
        """Return what applying a table would do."""
        [declared] = application.declared([name])
        return application.plan(self.world.warehouse, declared)

    def apply(self, *names: str) -> None:
        """Apply tables, all if none is named, as a process does that is started anew after it."""
        left = application.declared(names)
        while left:
            others = {declared.name for declared in left}
            ready = [one for one in left if not compilation.reads_of(one) & others] or left
            application.apply(self.world.warehouse, *(application.plan(self.world.warehouse, one) for one in ready))
            left = [one for one in left if one not in ready]
        self.world.warehouse.columns.clear()
        self.registry = Registry(declarations.tables(), declarations.logs())

    def __getitem__(self, name: str) -> DerivedTable:
        return self.registry.tables[name]

    def tick(self) -> dict[str, Done]:
        """Tick all tables."""
        return ticks.tick_all(self.world.warehouse, list(self.registry), LOG)

    def compare(self, name: str) -> Done:
        """Compare a table with its SELECT, as reconcile does."""
        return ticks.compare(self.world.warehouse, self[name], LOG)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows that are there."""
        return self._ordered(sql.SQL("select * from {}").format(sql.Identifier("analytics", name)).as_string())

    def wanted(self, name: str) -> list[dict[str, Any]]:
        """Return the rows that there should be: those of the SELECT that have a key."""
        [declared] = application.declared([name])
        rows = self._ordered(declared.query)
        return [row for row in rows if all(row[column] is not None for column in declared.key)]

    def assert_right(self, *names: str) -> None:
        """Check that tables, all if none is named, are what their SELECTs say."""
        for name in names or [declared.name for declared in application.declared()]:
            assert self.rows(name) == self.wanted(name), name

    def _ordered(self, query: str) -> list[dict[str, Any]]:
        rows = self.world.connection.execute(query.encode()).fetchall()
        for row in rows:
            row.pop("refreshed_at", None)
        return sorted(rows, key=str)
