"""`migrate up`: missing migrations and changed code, of a database of before 0.1.0, too."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version

import psycopg
from psycopg import sql

from convo_pipelines.database import own_tables, schema
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch, fetch_one
from convo_pipelines.database.migrations import record, runner
from convo_pipelines.database.migrations.record import (
    CODE,
    DEFAULT_LINES,
    FORMER_RECORD,
    INDEXES,
    RECORD,
    SCHEMA_OF,
    Line,
    ViewsReleasedError,
)
from convo_pipelines.database.migrations.runner import MigrationError, dependents_of, refusal
from convo_pipelines.database.rights import grant_roles
from convo_pipelines.database.statements import path, statement

FORMER = {"0028_app_baseline": ["app"], "0041_silent_errors": [INDEXES, "analytics"], "0028_roles_baseline": ["roles"]}
"""What a database of before 0.1.0 had applied last, and what that is called now."""
FORMER_CODE = {"app": [], "analytics": ["function analytics.source_tables_of"]}
"""The code of such a database that is no longer defined."""
LAST_OF_FORMER = "8171a71"
"""The last commit whose migrations lead there."""


def up(lines: tuple[Line, ...] = DEFAULT_LINES, url: str | None = None) -> None:
    """Apply missing migrations to the database at `url`, by default the one that the environment names.

    A schema `app` with tables or views but without our record belongs to the application: it is not changed.

    Raises:
        MigrationError: the database cannot be migrated, or its views are released; nothing was changed.

    """
    with runner.alone(url) as connection:
        _check_encoding(connection)
        if "app" in lines and record.are_views_released(connection):
            raise ViewsReleasedError
        with _explained("the database"):
            _carry_over(connection)
        for line in lines:
            relations = record.relations(connection, SCHEMA_OF[line])
            if line != "app" or not relations or schema.CODE in relations:
                with _explained(line):
                    _upgrade(connection, line)


def _check_encoding(connection: Connection) -> None:
    database = fetch_one(connection, "database/migrations/encoding")
    if database["encoding"] != "UTF8":
        raise MigrationError(
            f"the encoding of database {database['name']} is {database['encoding']}, which cannot hold every text that "
            "this project writes. Nothing was changed. Restore a dump of it into a database that was created with "
            "`encoding 'UTF8'`"
        )


def _carry_over(connection: Connection) -> None:
    """Record what a database of before 0.1.0 has applied as this version does.

    Raises:
        MigrationError: the database is older; nothing was changed.

    """
    names = [name for name in sorted(set(SCHEMA_OF.values())) if FORMER_RECORD in record.relations(connection, name)]
    heads = {name: record.former(connection, name) for name in names}
    if unknown := [head for name in names for head in heads[name] if head not in FORMER]:
        raise MigrationError(
            f"the database is at {', '.join(unknown)}, which this version cannot upgrade. Check out the last "
            f"version that can, commit {LAST_OF_FORMER}, and run its `convo-pipelines migrate up`, with `--only "
            "analytics` or `--only roles` where these are used; then run this again"
        )

    def carry_over() -> None:
        for name in names:
            former = (sql.Identifier(name, table) for table in (RECORD, FORMER_RECORD))
            connection.execute(sql.SQL("drop table {}, {}").format(*former))
            execute(connection, "database/schema/create_record", record.tables(name))
            gone = FORMER_CODE[name]
            execute(
                connection, "database/schema/record_code", record.tables(name), names=gone, checksums=[""] * len(gone)
            )
            for migration in (migration for head in heads[name] for migration in FORMER[head]):
                record.write(connection, name, migration, "")

    if names:
        runner.in_one_transaction(connection, carry_over)


def _upgrade(connection: Connection, line: Line) -> None:
    """Apply the missing migrations of a line, and its code; all in one transaction but for what runs concurrently."""
    name = SCHEMA_OF[line]
    applied = record.applied(connection, name)
    record.check_is_not_newer(applied)
    if not applied:
        with runner.transaction(connection):
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
            execute(connection, "database/schema/create_record", record.tables(name))
    names = [migration for migration in record.names(line) if migration not in applied]
    if INDEXES in names:
        _build_indexes(connection)
        record.write(connection, name, names.pop(0), "")
    is_new = line in names
    while not is_new and any(runner.is_concurrent(record.file_of(line, migration)) for migration in names):
        _apply_one(connection, line, names.pop(0))

    def upgrade() -> None:
        if is_new:
            _create(connection, line)
        for migration in names:
            if not is_new:
                runner.run(connection, f"{migration} is not applied", record.file_of(line, migration))
            record.write(connection, name, migration, record.checksum(line, migration))
        if line == "analytics":
            own_tables.require_all(connection)
            own_tables.settle(connection)
        if line in schema.SCHEMAS:
            schema.apply_code(connection, line)
            if line == "analytics":
                own_tables.settle_triggers(connection)
            record.write(connection, name, CODE, f"{version('convo_pipelines')} {schema.checksum(line)}")
        grant_roles(connection)

    runner.in_one_transaction(connection, upgrade)


def _apply_one(connection: Connection, line: Line, migration: str) -> None:
    """Apply a migration that runs concurrently, or one before it, without the code of this version."""
    file = record.file_of(line, migration)
    is_concurrent = runner.is_concurrent(file)
    if is_concurrent:
        runner.run_alone(connection, file.read_text())

    def apply() -> None:
        if not is_concurrent:
            runner.run(connection, f"{migration} is not applied", file)
        record.write(connection, SCHEMA_OF[line], migration, record.checksum(line, migration))

    runner.in_one_transaction(connection, apply)


def _create(connection: Connection, line: Line) -> None:
    """Create what a line is made of."""
    if line == "roles":
        for step in ("conversations_table", "create", "conversations_view"):
            connection.execute(statement(f"database/roles/{step}"))
    else:
        schema.create(connection, line)


def _build_indexes(connection: Connection) -> None:
    runner.run_alone(connection, path("database/app_indexes/create").read_text())
    if fetch(connection, "database/app_indexes/has_arrays"):
        runner.run_alone(connection, path("database/app_indexes/create_on_arrays").read_text())


@contextmanager
def _explained(what: str) -> Generator[None]:
    """Explain errors of an upgrade."""
    try:
        yield
    except psycopg.errors.DependentObjectsStillExist as error:
        raise MigrationError(refusal(f"{what} is not upgraded", dependents_of(error))) from None
    except psycopg.ProgrammingError as error:  # such as a table of app that is missing
        raise MigrationError(f"{what} is not upgraded: {error}") from None
