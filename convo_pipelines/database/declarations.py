"""What `sql/` declares: the sources, the columns that refer to them, and which columns hold personal data."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from convo_pipelines.database import statements
from convo_pipelines.database.statements import STATEMENTS, exists, names, source

_TABLE = re.compile(r"^create table(?: if not exists)? (\w+\.\w+) \((.*?)\n\)", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(
    r"^    (?!primary |unique |check |foreign |constraint )(\w+) (\w+(?: precision)?(?:\[\])?)", re.MULTILINE
)
_REFERENCE = re.compile(r"^    (\w+) [^,\n]*\breferences app\.(\w+)", re.MULTILINE)
_COMMENT = re.compile(r"^comment on column \w+\.(\w+)\.(\w+) is\s((?:[^;']|'[^']*')*);", re.MULTILINE)


@dataclass(frozen=True)
class Column:
    """A column of a source: its type, and what it means.

    An optional one may be a constant, such as null; a personal one may say who somebody is.
    """

    type: str
    meaning: str
    optional: bool = False
    personal: bool = False


@dataclass(frozen=True)
class Source:
    """A table or view whose changes are logged.

    Attributes:
        meaning: what a row is.
        columns: the columns that are read, by name.
        key: what no two rows share.
        looked_up_by: columns by which rows are found; each needs an index.
        logged: the columns that its log names.
        also_logged: further columns of its log, and their types, which its own trigger function writes.
        log: the table with its log; empty: `<source>_changes`.
        trigger_function: what writes its log; empty: `log_<source>`.
        without: what is empty if the source is.
        schema: where it is.
        relation: its name there; empty: that of the source.
        is_own: whether only tables of one's own read it.

    """

    meaning: str
    columns: Mapping[str, Column]
    key: Sequence[str] = ()
    looked_up_by: Sequence[str] = ()
    logged: Sequence[str] = ("id",)
    also_logged: Mapping[str, str] = field(default_factory=dict[str, str])
    log: str = ""
    trigger_function: str = ""
    without: str = ""
    schema: str = "app"
    relation: str = ""
    is_own: bool = False

    @property
    def table(self) -> str:
        """The table or view, as `schema.name`."""
        return f"{self.schema}.{self.relation}"


@cache
def sources() -> Mapping[str, Source]:
    """Return the sources, by name: those of `sql/sources.toml`, and what one's own tables read.

    `histories` stands for all histories tables.
    """
    found = dict(of_ours())
    for said in tables().values():
        for name, more in said.get("reads", {}).items():
            of = _source(name, {**more, "is_own": True})
            found[name] = _merged(found[name], of) if name in found else of
    return found


def of_ours() -> Mapping[str, Source]:
    """Return the sources of `sql/sources.toml`, by name."""
    declared = tomllib.loads((STATEMENTS / "sources.toml").read_text())
    return {name: _source(name, said) for name, said in declared.items()}


def _source(name: str, said: Mapping[str, Any]) -> Source:
    columns = {column: Column(**of) for column, of in said["columns"].items()}
    fields: dict[str, Any] = {"relation": name, **said, "columns": columns}
    return Source(**fields)


def _merged(one: Source, other: Source) -> Source:
    """Return a source of which two tables read, and log, different columns."""
    columns, logged = {**other.columns, **one.columns}, dict.fromkeys([*one.logged, *other.logged])
    return replace(one, columns=columns, logged=tuple(logged))


@cache
def tables() -> Mapping[str, Mapping[str, Any]]:
    """Return what the `table.toml` of each derived table says, by name; that of one's own is generated."""
    return {name: tomllib.loads((folder / "table.toml").read_text()) for name, folder in statements.tables().items()}


@cache
def odd_kinds() -> Mapping[str, str]:
    """Return the effect of each kind of odd row, and the remedy.

    A kind may go on with ` by ` and what refuses the rows.
    """
    return {kind: remedy for said in tables().values() for kind, remedy in said.get("odd", {}).items()}


@dataclass(frozen=True)
class Log:
    """The change log of a source, or of a derived table.

    Attributes:
        of: the name of the source or table.
        name: the table in `analytics`.
        columns: the logged columns and their types: those of a row before its change, and after it.
        also: further columns and their types, which only its own statements write.
        day: the column with the row's day in the lake and its type, unless it is logged anyway; only triggers write it.
        is_derived: whether it is of a derived table: refreshes write it, and its retries are in it.
        has_triggers: whether triggers write it.
        is_for_lake: whether triggers write it while the lake follows.

    """

    of: str
    name: str
    columns: Mapping[str, str] = field(hash=False)
    also: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    day: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    is_derived: bool = False
    has_triggers: bool = True
    is_for_lake: bool = False

    @property
    def of_row(self) -> dict[str, str]:
        """The columns that its trigger function writes, if that is not written by hand, and their types."""
        return {**self.columns, **self.day}

    @property
    def may_be_beneath(self) -> bool:
        """Whether it is of a source whose rows may be those of a view, which tables beneath it decide together."""
        declared = sources().get(self.of)
        return declared is not None and not declared.is_own and declared.schema == "app" and self.of != "histories"

    @property
    def changed(self) -> str:
        """The relation in `analytics` that has the logged columns of all rows that a change concerns."""
        return f"changed_{self.of}" if self.may_be_beneath else self.name

    @property
    def function(self) -> str:
        """The trigger function in `analytics` that writes it, if triggers ever do."""
        declared = sources().get(self.of)
        return (declared and declared.trigger_function) or f"log_{self.of}"


@cache
def logs() -> Mapping[str, Log]:
    """Return every change log, by the source or table that it is of."""
    of_sources = [
        Log(
            name,
            said.log or f"{name}_changes",
            {column: said.columns[column].type for column in said.logged},
            said.also_logged,
        )
        for name, said in sources().items()
    ]
    more: dict[str, dict[str, str]] = {}
    for said in tables().values():
        for name, columns in said.get("logs", {}).items():
            more.setdefault(name, {}).update(columns)
    of_tables = [
        Log(
            name,
            f"{name}_changes",
            {**said.get("logged", {}), **more.get(name, {})},  # the registry names a table that has no `logged`
            said.get("also_logged", {}),
            {column: of for column, of in said.get("lake_day", {}).items() if column not in said.get("logged", {})},
            is_derived=True,
            has_triggers=said.get("has_triggers", False) or name in followed_by_own(),
            is_for_lake="lake_day" in said,
        )
        for name, said in tables().items()
    ]
    return {log.of: log for log in [*of_sources, *of_tables]}


@cache
def followed_by_own() -> frozenset[str]:
    """Return the sources and derived tables that tables of one's own follow; triggers log the changes of these."""
    own = [said for said in tables().values() if "definition" in said]
    return frozenset(change.partition(" ")[0] for said in own for change in said["changes"])


@cache
def columns() -> Mapping[str, Mapping[str, str]]:
    """Return the columns of each table of the definitions, and those of each source that are read, with their types."""
    files = [file for schema in ("app", "curation", "analytics") for file in definitions_of(schema)]
    created = {found[1]: dict(_COLUMN.findall(found[2])) for file in files for found in _TABLE.finditer(source(file))}
    read = {said.table: {column: of.type for column, of in said.columns.items()} for said in sources().values()}
    own = {f"analytics.{name}": said["columns"] for name, said in tables().items() if "columns" in said}
    return {name: created.get(name, {}) | read.get(name, {}) | own.get(name, {}) for name in [*read, *created]}


@cache
def comments() -> Mapping[tuple[str, str], str]:
    """Return the comments of the columns of our tables, by the name of the table and the column."""
    return {
        (name, column): "".join(re.findall(r"'((?:[^']|'')*)'", quoted)).replace("''", "'")
        for schema in ("curation", "analytics")
        for file in definitions_of(schema)
        for name, column, quoted in _COMMENT.findall(source(file))
    }


@cache
def references() -> Mapping[str, Mapping[str, str]]:
    """Return the table of `app` that columns refer to, by the table, as `schema.table`, and the column."""
    files = [file for schema in ("app", "analytics") for file in definitions_of(schema)]
    created = [found for file in files for found in _TABLE.finditer(source(file))]
    return {found[1]: dict(_REFERENCE.findall(found[2])) for found in created}


@cache
def personal_columns(table: str | None = None) -> frozenset[str]:
    """Return the columns that may hold personal data: of a derived table, or of all tables and sources.

    Neither Dagster nor the lake gets such columns, unless a setting says so. In `analytics` and `curation`, their
    comments end with "Personal data."; `table.toml` and `sources.toml` name those of `app`.
    """
    of_app = [(name, column) for name, said in tables().items() for column in said.get("personal", ())]
    of_app += [(name, column) for name, said in sources().items() for column, of in said.columns.items() if of.personal]
    of_ours = [
        (name, column)
        for schema in ("analytics", "curation")
        for file in definitions_of(schema)
        for name, column, comment in _COMMENT.findall(source(file))
        if comment.endswith("Personal data.'")
    ]
    return frozenset(column for name, column in [*of_app, *of_ours] if table in (None, name))


def definitions_of(schema: str) -> list[str]:
    """Return the files of definitions of a schema; those of derived tables are in their folders."""
    of_tables = [f"tables/{table}/table" for table in statements.tables()] if schema == "analytics" else []
    return [*names(f"schema/{schema}"), *filter(exists, of_tables)]
