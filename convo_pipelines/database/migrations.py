"""The migrations in `sql/migrations/`, applied by Alembic.

There are three lines of them: `app` (the application's schema; a reference for machines that have none), `analytics`
(ours) and `roles` (optional). Each schema keeps the record in its table `schema_migrations`, that of the roles in
`analytics`, so that dropping `analytics` also forgets that it was built.
"""

import logging
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.statements import STATEMENTS
from convo_pipelines.database.warehouse import TableLockedError, Warehouse, blockers_of, configure

Line = Literal["app", "analytics", "roles"]
LINES: tuple[Line, ...] = ("app", "analytics", "roles")
DEFAULT_LINES: tuple[Line, ...] = ("app", "analytics")
SCHEMA_OF: dict[Line, str] = {"app": "app", "analytics": "analytics", "roles": "analytics"}
VERSION_TABLE = "schema_migrations"
FOLDER = STATEMENTS / "migrations"
LONGEST_WAIT_SECONDS = 900
"""What building an index waits for older transactions."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Migration:
    """One folder of `sql/migrations/`: its name, the line it belongs to, and whether it is applied."""

    name: str
    line: Line
    applied: bool


def sql_files(revision_file: str, *, concurrently: bool = False) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the upgrade and downgrade of the folder that `revision_file` lies in.

    Args:
        revision_file: path of the folder's `revision.py`.
        concurrently: run each statement, up to an empty line, on its own, as CONCURRENTLY demands; an index that an
            interrupted build left invalid is dropped before.

    """
    folder = Path(revision_file).parent
    return lambda: _run(folder / "migration.sql", concurrently), lambda: _run(folder / "rollback.sql", concurrently)


def up(lines: tuple[Line, ...] = DEFAULT_LINES, url: str | None = None) -> None:
    """Apply what is missing to the database at `url`, by default the one the environment names.

    A schema `app` that holds tables but no record of ours belongs to the application: it is left alone.
    """
    with _connect(url) as connection:
        for line in lines:
            tables = _tables(connection, SCHEMA_OF[line])
            if line == "app" and tables and VERSION_TABLE not in tables:
                continue
            if SCHEMA_OF[line] not in sa.inspect(connection).get_schema_names():
                connection.execute(sa.schema.CreateSchema(SCHEMA_OF[line]))
            connection.commit()
            command.upgrade(_config(connection, line), f"{line}@head")
        connection.execution_options(no_parameters=True).exec_driver_sql((FOLDER / "ownership.sql").read_text())
        connection.commit()


def newest(lines: Sequence[Line] = LINES) -> Migration | None:
    """Return the newest applied migration of the given lines, which `down` rolls back; None if there is none."""
    return next((m for m in reversed(status()) if m.applied and m.line in lines), None)


def down(lines: Sequence[Line] = LINES) -> str | None:
    """Roll back the newest applied migration of the given lines; return its name, or None if there is none."""
    migration = newest(lines)
    if migration is None:
        return None
    with _connect() as connection:
        command.downgrade(_config(connection, migration.line), f"{migration.line}@-1")
        schema = SCHEMA_OF[migration.line]
        is_used = any(m.applied and SCHEMA_OF[m.line] == schema for m in status())
        if not is_used and _tables(connection, schema) == [VERSION_TABLE]:
            sa.Table(VERSION_TABLE, sa.MetaData(schema=schema)).drop(connection)
            connection.commit()
    return migration.name


def status() -> list[Migration]:
    """Return every migration, line by line, in the order in which `up` applies them."""
    script = ScriptDirectory.from_config(_config(None, "app"))
    with _connect() as connection:
        applied = {schema: _applied(connection, script, schema) for schema in set(SCHEMA_OF.values())}
    return [
        Migration(revision.revision, line, revision.revision in applied[SCHEMA_OF[line]])
        for line in LINES
        for revision in reversed(list(script.iterate_revisions(f"{line}@head", "base")))
    ]


def missing(url: str) -> list[Migration]:
    """Return what the database at `url` lacks of `analytics`, and of `app` if it has none; the first to apply first."""
    with _connect(url) as connection:
        script = ScriptDirectory.from_config(_config(None, "analytics"))
        applied = _applied(connection, script, SCHEMA_OF["analytics"])
        is_there = sa.inspect(connection).has_table("crews", "app")
    return [
        Migration(revision.revision, line, applied=False)
        for line in (("analytics",) if is_there else DEFAULT_LINES)
        for revision in reversed(list(script.iterate_revisions(f"{line}@head", "base")))
        if revision.revision not in applied
    ]


def validate() -> list[str]:
    """Run `validation.sql` of every applied migration; return one line per failure."""
    failures: list[str] = []
    with psycopg.connect(database_url(), client_encoding="utf8") as connection:
        configure(connection)
        connection.commit()
        for migration in (m for m in status() if m.applied):
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute((FOLDER / migration.name / "validation.sql").read_bytes())
            except psycopg.Error as error:
                failures.append(f"{migration.name}: {error.diag.message_primary}")
    return failures


def _tables(connection: sa.Connection, schema: str) -> list[str]:
    return sa.inspect(connection).get_table_names(schema)


def _applied(connection: sa.Connection, script: ScriptDirectory, schema: str) -> set[str]:
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "version_table_schema": schema}
    )
    heads = context.get_current_heads()
    return {r.revision for head in heads for r in script.iterate_revisions(head, "base")}


def _run(file: Path, concurrently: bool) -> None:
    connection = op.get_bind().execution_options(no_parameters=True)
    statements = file.read_text()
    if not concurrently:
        connection.exec_driver_sql(statements)
        return
    with op.get_context().autocommit_block():
        # It keeps nobody from writing while it waits for older transactions, and may take hours.
        connection.exec_driver_sql(f"set statement_timeout = 0; set lock_timeout = '{LONGEST_WAIT_SECONDS}s'")
        _drop_invalid_indexes(connection, statements)
        for statement in statements.split("\n\n"):
            connection.exec_driver_sql(statement)
        configure(_driver(connection))


def _drop_invalid_indexes(connection: sa.Connection, statements: str) -> None:
    """Drop what an interrupted CREATE INDEX CONCURRENTLY of these statements left: `if not exists` would keep it."""
    invalid = sa.text(
        "select relname from pg_index inner join pg_class on pg_class.oid = indexrelid "
        "where not indisvalid and relnamespace = 'app'::regnamespace"
    )
    for name in connection.scalars(invalid).all():
        if re.search(rf"\b{re.escape(name)}\b", statements):
            _log.warning("index app.%s is invalid, its build was interrupted; building it again", name)
            index = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"drop index concurrently if exists app.{index}")


@contextmanager
def _connect(url: str | None = None) -> Generator[sa.Connection]:
    """Connect with the limits of every session of ours.

    Raises:
        TableLockedError: a statement waited longer for a lock than it may.

    """
    url = url or database_url()
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        configure(_driver(connection))
        _driver(connection).commit()
        try:
            yield connection
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            with closing(Warehouse(url)) as warehouse, warehouse.connection() as another:
                raise TableLockedError(blockers_of(another, is_any=True)) from None


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _config(connection: sa.Connection | None, line: Line) -> Config:
    config = Config(attributes={"connection": connection, "schema": SCHEMA_OF[line]})
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("recursive_version_locations", "true")
    return config
