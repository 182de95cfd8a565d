"""The derived tables, as folders with `table.sql`, `table.toml` and `rows.sql` declare them.

`table.sql` defines the table, and `table.toml` says what it reads and follows. `rows.sql` returns the rows that there
should be for the keys of a chunk, `keys.sql` the keys that a scope concerns. The engine compares, writes, propagates
and retries.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from convo_pipelines.database.declarations import Log, references
from convo_pipelines.database.statements import exists
from convo_pipelines.errors import ConvoPipelinesError


@dataclass(frozen=True)
class Grain:
    """The keys of a table: the unit in which it is refreshed.

    Attributes:
        order: the columns that identify a key, in the order in which chunks go through them.
        types: the types of these and of further columns, in their order.
        keyed_by: (key column, row column) pairs that must be equal; empty if keys identify no rows.
        by_bytes: columns that are texts, and ordered by their bytes.
        source: the relation that contains all keys, as `schema.table`, and its columns in the order of the key; None:
            the table has a step `every`, or a reader.
        has_days: whether a window of days restricts the keys; otherwise a backfill refreshes everything.
        has_retries: whether locked rows are left for the next tick.

    """

    order: tuple[str, ...]
    types: Mapping[str, str] = field(hash=False)
    keyed_by: tuple[tuple[str, str], ...]
    by_bytes: tuple[str, ...] = ()
    source: tuple[str, tuple[str, ...]] | None = None
    has_days: bool = True
    has_retries: bool = True

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Grain":
        """Return the keys that a `table.toml` declares."""
        order, named = tuple(said["columns"]), said.get("rows", {})
        source = _SOURCE.fullmatch(said.get("all", ""))
        return cls(
            order,
            {**said["columns"], **said.get("more", {})},
            tuple((name, named.get(name, name)) for name in order) if said.get("identify_rows", True) else (),
            tuple(said.get("by_bytes", ())),
            (source[1], tuple(source[2].split(", "))) if source else None,
            said.get("has_days", True),
            said.get("has_retries", True),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of a key."""
        return tuple(self.types)

    @property
    def selected(self) -> str | None:
        """The statement that narrows keys by a selection, if a column of theirs has one."""
        found = (f"keys/{column}/selected" for column in self.order)
        return next(filter(exists, found), None)


_SOURCE = re.compile(r"(\w+\.\w+)\((.*)\)")
OWN_WINDOW = "window"
"""Stands for the columns of a derived table that has no days itself; no column has this name, a key word of SQL."""


@dataclass(frozen=True)
class Target:
    """The rows that a refresh keeps equal to their sources.

    Attributes:
        relation: their table, as `schema.table`.
        key: the columns that identify a row.
        updated_at_column: the column with the time at which a row was last written, if there is one.
        parents: the columns that refer to a table of the application, and the name of that table.
        inserted: the columns of a row, if rows are only ever inserted; none: the catalog lists the columns.
        is_found_again: whether rows that are right are written, too, to record when they were last found.

    """

    relation: str
    key: tuple[str, ...]
    updated_at_column: str | None = "refreshed_at"
    parents: tuple[tuple[str, str], ...] = ()
    inserted: tuple[str, ...] = ()
    is_found_again: bool = False

    @property
    def is_insert_only(self) -> bool:
        """Whether its rows are never updated or deleted."""
        return bool(self.inserted)


@dataclass(frozen=True, eq=False)
class DerivedTable:
    """A table that is kept right by `refresh(scope)`.

    Attributes:
        registry: the tables that it is kept right with.
        name: of the asset, the folder of its statements and its watermark.
        description: what its rows are.
        group: of the asset in Dagster.
        job: the job with its ticks, which refreshes tables in the order of the registry.
        sources: the tables of `app` that it reads.
        changes: the tables, of `app` or derived, whose changes it follows; with an operation, only these changes.
        rows: its rows.
        grain: its keys.
        log: the changes of its rows, for the tables that follow, and its retries.
        cron: when the job runs (UTC), if it is of this table only; empty: a setting of the job's name says so.
        definition: what identifies how its rows are computed, of a table of one's own: processes that know another
            refuse to refresh it. Empty: only an upgrade of the package changes that.
        propagates: whether a refresh logs the rows that it changed. Otherwise none follows, triggers log them, or the
            table has a step `propagate`.
        reader: the class that reads its sources one by one, as `module:class`; see `readers.py`.
        part: the column that says from which of these sources a row is; the step `part` reads one.
        hooks: the class with what else it does, as `module:class`; see `hooks.py`.
        days: the columns by which the rows of a source, or its own, are in a window of days, by their relation. Each is
            a day or a time, or a span of these, `first..last`. OWN_WINDOW: the window of that table says which keys
            are. Empty: `window.sql` is written by hand, or there are no days.
        day: the column with the day of a row, or a time in it, and its type; None: the step `day` tells it, that of the
            table or that of its key (`sql/keys/<column>.sql`), or it has none.
        lake_day: the column with the day, or the time, by which the lake partitions its rows, and its type; None: it is
            not there.
        is_link: whether Zero syncs it.

    """

    registry: "Registry" = field(repr=False)
    name: str
    description: str
    group: str
    job: str
    sources: tuple[str, ...]
    changes: tuple[str, ...]
    rows: Target
    log: Log
    grain: Grain
    cron: str = ""
    definition: str = ""
    propagates: bool = False
    reader: str = ""
    part: str = ""
    hooks: str = ""
    days: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], hash=False)
    day: tuple[str, str] | None = None
    lake_day: tuple[str, str] | None = None
    is_link: bool = False

    @property
    def target(self) -> str:
        """The relation that the asset stands for, as `schema.table`."""
        return self.rows.relation

    def own(self, statement: str) -> str | None:
        """Return the statement of its own folder with this name, if there is one."""
        return name if exists(name := f"tables/{self.name}/{statement}") else None

    @property
    def asked(self) -> str | None:
        """The statement that finds the keys of what a caller names, if there is one."""
        [column, *more] = self.grain.order
        return self.own("asked") or (name if not more and exists(name := f"keys/{column}/asked") else None)

    @property
    def statements(self) -> tuple[str, ...]:
        """Its own statements; that of its rows first."""
        return tuple(name for step in ("rows", "propagate", "keys", "window") if (name := self.own(step)))

    @property
    def follows(self) -> tuple[str, ...]:
        """The changes that it reads from the logs: those of its sources, and its own retries."""
        return (*self.changes, f"{self.name} retry", f"{self.name} everything")


REQUIRED = {"description", "group", "job", "sources", "changes", "key", "logged", "keys"}
OPTIONAL = {
    "also_logged", "columns", "cron", "day", "days", "definition", "depends", "format", "has_triggers", "hooks",
    "inserted",
    "is_found_again", "is_link", "lake_day", "lineage", "logs", "odd", "part", "personal", "propagates", "reader",
    "reads", "relation", "rows_sql", "schema", "updated_at",
}  # fmt: skip
"""The fields of `table.toml`."""
OF_KEYS = {"all", "by_bytes", "columns", "has_days", "has_retries", "identify_rows", "more", "rows"}
"""The fields of its section `[keys]`."""


class DeclarationError(ConvoPipelinesError):
    """A `table.toml` lacks a field, or has one that is not known; the message names the table and the field."""


def _derived_table(registry: "Registry", name: str, said: Mapping[str, Any]) -> DerivedTable:
    """Return the table that its `table.toml` declares."""
    relation = said.get("relation", f"analytics.{name}")
    unknown = [*(said.keys() - REQUIRED - OPTIONAL), *(f"keys.{of}" for of in said.get("keys", {}).keys() - OF_KEYS)]
    if wrong := [f"lacks {field}" for field in REQUIRED - said.keys()] + [
        f"has an unknown field, {field}" for field in unknown
    ]:
        raise DeclarationError(f"table.toml of {name} {', '.join(sorted(wrong))}")
    inserted = tuple(said.get("inserted", ()))
    parents = references().get(relation, {})
    return DerivedTable(
        registry,
        name,
        said["description"],
        group=said["group"],
        job=said["job"],
        sources=tuple(said["sources"]),
        changes=tuple(said["changes"]),
        rows=Target(
            relation,
            key=tuple(said["key"]),
            updated_at_column=said.get("updated_at", "refreshed_at") or None,
            parents=tuple(pair for pair in parents.items() if not inserted or pair[0] in inserted),
            inserted=inserted,
            is_found_again=said.get("is_found_again", False),
        ),
        log=registry.logs[name],
        grain=Grain.of(said["keys"]),
        definition=said.get("definition", ""),
        cron=said.get("cron", ""),
        propagates=said.get("propagates", False),
        reader=said.get("reader", ""),
        part=said.get("part", ""),
        hooks=said.get("hooks", ""),
        days={of: (by,) if isinstance(by, str) else tuple(by) for of, by in said.get("days", {}).items()},
        day=next(iter(said.get("day", {}).items()), None),
        lake_day=next(iter(said.get("lake_day", {}).items()), None),
        is_link=said.get("is_link", False),
    )


def _in_order(found: Mapping[str, DerivedTable]) -> dict[str, DerivedTable]:
    """Return the tables, those that others are derived from first."""
    written = {table.rows.relation.rpartition(".")[2]: name for name, table in found.items()}
    reads = {
        name: [of for of in (written.get(said.partition(" ")[0]) for said in table.changes) if of not in (None, name)]
        for name, table in found.items()
    }
    try:
        return {name: found[name] for name in TopologicalSorter(reads).static_order()}
    except CycleError as error:
        raise DeclarationError(f"tables follow each other in a circle: {' -> '.join(error.args[1])}") from None


class Registry:
    """The derived tables that are kept right together.

    Attributes:
        tables: by their names, those that others are derived from first.
        logs: every change log, by the source or table that it is of.

    """

    def __init__(self, declared: Mapping[str, Mapping[str, Any]], logs: Mapping[str, Log]):
        """Read what `table.toml` says of each table, by its name."""
        self.logs = logs
        found = {name: _derived_table(self, name, said) for name, said in declared.items()}
        self.tables = _in_order(found)

    def __iter__(self) -> Iterator[DerivedTable]:
        """Go through the tables, those that others are derived from first."""
        return iter(self.tables.values())

    def followers(self, table: DerivedTable) -> list[DerivedTable]:
        """Return the tables that follow the changes of one, or of the application's table that it inserts rows into."""
        written = {table.name, table.rows.relation.removeprefix("app.")}
        return [
            other
            for other in self
            if other is not table and written & {change.partition(" ")[0] for change in other.changes}
        ]

    def of_job(self, job: str) -> tuple[DerivedTable, ...]:
        """Return the tables that a job's ticks refresh."""
        return tuple(table for table in self if table.job == job)
