"""`table plan`, `apply` and `remove`: what the folders of CONVO_TABLES declare, made true in the database.

What is generated from `rows.sql` is written beside it, and is what processes read. So an edited `rows.sql` has no
effect before it is applied. Then the next tick computes all rows anew, while readers see the former ones.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convo_pipelines.authoring import compilation, declaration
from convo_pipelines.authoring.compilation import Compiled
from convo_pipelines.authoring.declaration import Declaration, RowsError
from convo_pipelines.database import declarations, own_tables, schema, statements
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.statements import GENERATED
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines.engine.registry import Registry


@dataclass(frozen=True)
class Step:
    """What `table apply` does for one table.

    Attributes:
        compiled: the table.
        summary: what becomes new, in words.
        statements: what changes the database, as SQL.
        former: the generated files that are there, by their names.

    """

    compiled: Compiled
    summary: str
    statements: Sequence[str]
    former: Mapping[str, str]

    @property
    def is_change(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.statements) or self.former != self.compiled.files


def declared(names: Sequence[str] = ()) -> list[Declaration]:
    """Return the tables that CONVO_TABLES names, or some of them; those that others read come first.

    Raises:
        RowsError: a `rows.sql` is not valid, or no folder has that name.
        TableFoldersError: CONVO_TABLES names a folder that does not exist, or two tables have one name.

    """
    folders = statements.own_folders()
    if unknown := [name for name in names if name not in folders]:
        there = ", ".join(folders) or "none"
        raise RowsError(f"CONVO_TABLES names no folder {unknown[0]} that has a rows.sql; there are: {there}")
    left = [declaration.read(name, folders[name]) for name in names or folders]
    found: list[Declaration] = []
    while left:
        others = {one.name for one in left}
        ready = [one for one in left if not compilation.reads_of(one) & others - {one.name}] or left
        found += ready
        left = [one for one in left if one not in ready]
    return found


def plan(warehouse: Warehouse, one: Declaration) -> Step:
    """Compile a table; return what applying it does.

    Raises:
        RowsError: its `rows.sql` cannot be kept exact.

    """
    with warehouse.connection() as connection:
        registry = Registry(declarations.tables(), declarations.logs())
        return _step(connection, compilation.compiled(connection, one, registry))


def apply(warehouse: Warehouse, *steps: Step) -> None:
    """Write what is generated of tables, and change the database.

    Raises:
        DeclarationError: tables follow each other in a circle.
        MigrationError: the database cannot be changed. The generated files are as before.

    """
    for step in steps:
        _write(step.compiled.declared.folder, step.compiled.files)
    try:
        registry = Registry(declarations.tables(), declarations.logs())
        upgrade.up(("analytics",), warehouse.url)
    except BaseException:
        for step in steps:
            _write(step.compiled.declared.folder, step.former)
        raise
    capture.sync(warehouse, registry)


def remove(warehouse: Warehouse, name: str) -> None:
    """Drop a table of one's own with its rows, its log, the triggers that only it needs, and what was generated of it.

    Raises:
        RowsError: there is no such table in the database, or others follow it.
        UnknownTablesError: CONVO_TABLES names no folder of another table in the database.
        MigrationError: the database cannot be changed. The generated files are as before.

    """
    tables = Registry(declarations.tables(), declarations.logs()).tables
    with warehouse.connection() as connection:
        is_there = own_tables.is_there(connection, name)
        own_tables.require_all(connection, but_for=name)
    if not is_there or (name in tables and not tables[name].definition):
        raise RowsError(f"the database has no table of one's own that is named {name}")
    if name in tables and (others := tables[name].registry.followers(tables[name])):
        raise RowsError(f"{', '.join(other.name for other in others)} reads {name}: remove or change that first")
    logs = {f"{name}_changes", *(log.name for log in declarations.logs().values())}
    folder = statements.own_folders().get(name)
    former = _generated(folder) if folder else {}
    if folder:
        _write(folder, {})
    with warehouse.connection() as connection, connection.transaction():
        execute(connection, "database/own_tables/forget", name=name)
    try:
        upgrade.up(("analytics",), warehouse.url)
    except BaseException:
        if folder and former:
            _write(folder, former)
            with warehouse.connection() as connection, connection.transaction():
                execute(connection, "database/own_tables/define", name=name, definition=tables[name].definition)
        raise
    with warehouse.connection() as connection, connection.transaction():
        own_tables.drop(connection, [name, *sorted(logs - {log.name for log in declarations.logs().values()})])


def _step(connection: Connection, compiled: Compiled) -> Step:
    name = compiled.declared.name
    former = _generated(compiled.declared.folder)
    changes = own_tables.changes(connection, f"analytics.{name}", compiled.columns, is_complete=True)
    if changes is not None and not own_tables.is_there(connection, name):
        raise compiled.declared.error(f"analytics has {name}, which is no table of one's own: rename the folder")
    if changes is not None and (key := compilation.key_of(connection, f"analytics.{name}")) != {*compiled.declared.key}:
        raise compiled.declared.error(
            f"the table that is there has the key {', '.join(sorted(key))}: run `convo-pipelines table remove {name}` "
            "before you apply another key"
        )
    place = compiled.declared.said.get("schema")
    if place and own_tables.is_view_name_taken(connection, name, place):
        raise compiled.declared.error(f"{place}.{name} is there, and is no view of this table: rename the folder")
    hidden = own_tables.hiding(connection, name, place, compiled.columns)
    found = list(changes) if changes is not None else [compiled.files["table.sql"].rstrip().removesuffix(";")]
    for source, of in compiled.reads.items():
        log = f"analytics.{declarations.logs()[source].name if source in declarations.logs() else f'{source}_changes'}"
        logged = {column: of["columns"][column]["type"] for column in of["logged"]}
        there = own_tables.changes(connection, log, logged, is_complete=False)
        relation = f"{of['schema']}.{of['relation']}"
        if there is None:
            columns = ", ".join(f"{column} {typed}" for column, typed in logged.items())
            there = [f"create table {log} ({columns}, …)  -- with triggers on {relation}, which write it"]
        found += [*there, *own_tables.retypes(connection, log, logged)]
    if changes is None:
        summary = "a new table"
    elif found:
        summary = "columns change; all rows are computed anew"
    elif former.get("rows.sql") != compiled.files["rows.sql"]:
        summary = "only expressions change; all rows are computed anew"
    elif former != compiled.files:
        summary = "only the declaration changes"
    else:
        summary = "no change"
    shown = own_tables.showing(connection, name, place, compiled.columns)
    return Step(compiled, summary, [*hidden, *found, *shown], former)


def _generated(of: Path) -> dict[str, str]:
    """Return the generated files in the folder of a table."""
    folder = of / GENERATED
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def _write(of: Path, files: Mapping[str, str]) -> None:
    """Write the generated files of a table into its folder; none: theirs is removed."""
    folder = of / GENERATED
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    forget()


def forget() -> None:
    """Have what is declared be read again."""
    for read in (
        statements.tables, statements.statement, statements.fragment, statements.exists, statements.blocks,
        declarations.sources, declarations.tables, declarations.logs, declarations.columns, declarations.references,
        declarations.personal_columns, declarations.odd_kinds, declarations.followed_by_own, schema.definitions,
    ):  # fmt: skip
        read.cache_clear()
