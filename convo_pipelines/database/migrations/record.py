"""Which migrations there are, and which of them a database has applied."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from packaging.version import Version
from psycopg import sql

from convo_pipelines.database import schema
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch
from convo_pipelines.database.migrations import runner
from convo_pipelines.database.migrations.runner import MigrationError
from convo_pipelines.database.statements import STATEMENTS

Line = Literal["app", "analytics", "roles"]
LINES: tuple[Line, ...] = ("app", "analytics", "roles")
DEFAULT_LINES: tuple[Line, ...] = ("app", "analytics")
SCHEMA_OF: dict[Line, str] = {"app": "app", "analytics": "analytics", "roles": "analytics"}
FOLDER = STATEMENTS / "migrations"
INDEXES = "app_indexes"
"""The migration that adds a column and indexes to the application's tables; the first of each line creates it."""
CODE = "code"
"""What stands for the code of a schema, among its migrations."""
RECORD = "schema_migrations"
"""The table, in each schema, that records what is applied."""
FORMER_RECORD = "schema_migration_checksums"
"""A table that only a database of before 0.1.0 has."""


@dataclass(frozen=True)
class Migration:
    """A migration: its name, the line it belongs to, and whether it is applied."""

    name: str
    line: Line
    applied: bool


class ViewsReleasedError(MigrationError):
    """`adopt release` has dropped the views of app, and nothing has made them again."""

    def __init__(self) -> None:
        super().__init__("the views of app are released: run `convo-pipelines adopt restore`, or `adopt install FILE`")


def status(url: str | None = None) -> list[Migration]:
    """Return every migration, line by line, in the order in which `up` applies them."""
    with runner.connect(url) as connection:
        return migrations(connection, LINES)


def missing(url: str) -> list[Migration]:
    """Return the missing migrations of `analytics`, and of `app` if the database has none; in order of application.

    Raises:
        ViewsReleasedError: `app` has none of the views that the pipeline reads.

    """
    with runner.connect(url) as connection:
        if are_views_released(connection):
            raise ViewsReleasedError
        is_there = "crews" in relations(connection, "app")
        lines: tuple[Line, ...] = ("analytics",) if is_there else DEFAULT_LINES
        return [migration for migration in migrations(connection, lines) if not migration.applied]


def newest(lines: Sequence[Line] = LINES) -> Migration | None:
    """Return the newest applied migration of the given lines, which `down` rolls back; None if there is none.

    Raises:
        MigrationError: the database is newer than this version, which does not know its newest migration.

    """
    with runner.connect() as connection:
        return newest_applied(connection, lines)


def migrations(connection: Connection, lines: Sequence[Line]) -> list[Migration]:
    """Return every migration of the given lines, as `status`."""
    return [migration for line in lines for migration in _status_of(applied(connection, SCHEMA_OF[line]), line)]


def newest_applied(connection: Connection, lines: Sequence[Line]) -> Migration | None:
    """Return what `newest` returns."""
    for line in lines:
        check_is_not_newer(applied(connection, SCHEMA_OF[line]))
    found = [m for m in migrations(connection, lines) if m.applied and m.name != CODE]
    return found[-1] if found else None


def check_is_not_newer(applied: dict[str, str]) -> None:
    """Check what is applied in a schema.

    Raises:
        MigrationError: the database is newer than this version.

    """
    known = {CODE, *(name for one in LINES for name in names(one))}
    newer = [name for name in applied if name not in known]
    of = applied[CODE].split()[0] if CODE in applied else "0"
    if newer or Version(of) > Version(version("convo_pipelines")):
        raise MigrationError(
            f"the database is newer than this version: it is at {', '.join(newer) or of}. Install that version"
        )


def names(line: Line) -> list[str]:
    """Return the migrations of a line, in the order in which they are applied."""
    first = [INDEXES, line] if line == "analytics" else [line]
    return [*first, *sorted(file.parent.name for file in (FOLDER / line).glob("*/migration.sql"))]


def file_of(line: Line, migration: str, step: str = "migration") -> Path:
    """Return the file that applies a migration, or with the step `rollback` the one that rolls it back."""
    return FOLDER / line / migration / f"{step}.sql"


def checksum(line: Line, name: str) -> str:
    """Return a checksum of the statements that apply a migration; those of its rollback may be corrected later."""
    file = file_of(line, name)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def applied(connection: Connection, name: str) -> dict[str, str]:
    """Return the migrations that are applied in a schema, with their checksums."""
    if schema.CODE not in relations(connection, name):
        return {}
    rows = fetch(connection, "database/migrations/applied", tables(name))
    return {row["name"]: row["checksum"] for row in rows}


def former(connection: Connection, name: str) -> list[str]:
    """Return what a database of before 0.1.0 has applied last in a schema; of any other, nothing."""
    if FORMER_RECORD not in relations(connection, name):
        return []
    return [row["name"] for row in fetch(connection, "database/migrations/former", tables(name))]


def relations(connection: Connection, name: str) -> set[str]:
    """Return the names of the tables and views of a schema."""
    return {row["name"] for row in fetch(connection, "database/migrations/relations", schema=name)}


def are_views_released(connection: Connection) -> bool:
    """Whether `app` has none of the views that the pipeline reads, because `adopt release` has dropped them."""
    if "crews" in relations(connection, "app") or "released_views" not in relations(connection, "analytics"):
        return False
    return bool(connection.execute("select from analytics.released_views limit 1").fetchall())


def tables(name: str) -> dict[str, sql.Identifier]:
    """Return the identifiers of the tables that record what is applied in a schema."""
    return {"migrations": sql.Identifier(name, RECORD), "code": sql.Identifier(name, schema.CODE)}


def write(connection: Connection, name: str, migration: str, checksum: str) -> None:
    """Record in a schema that a migration is applied."""
    execute(connection, "database/migrations/record", tables(name), name=migration, checksum=checksum)


def _status_of(applied: dict[str, str], line: Line) -> list[Migration]:
    migrations = [Migration(name, line, name in applied) for name in names(line)]
    return [*migrations, Migration(CODE, line, _is_present(applied, line))] if line in schema.SCHEMAS else migrations


def _is_present(applied: dict[str, str], line: Line) -> bool:
    """Whether the code of a line is that of this version, or of a newer one."""
    if CODE not in applied:
        return False
    of, checksum = applied[CODE].split()
    return checksum == schema.checksum(line) or Version(of) > Version(version("convo_pipelines"))
