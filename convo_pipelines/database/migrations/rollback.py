"""`migrate down`: the newest migration, rolled back."""

import re
from collections.abc import Sequence
from functools import partial

import psycopg
from psycopg import sql

from convo_pipelines.database import schema
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch, fetch_one, identifier
from convo_pipelines.database.migrations import record, runner
from convo_pipelines.database.migrations.record import CODE, INDEXES, LINES, RECORD, SCHEMA_OF, Line, Migration
from convo_pipelines.database.migrations.runner import RollbackError, dependents_of, refusal
from convo_pipelines.database.rights import grant_roles
from convo_pipelines.database.statements import path, statement

LOST_WITH = {
    "app": "all rows of the application's tables",
    INDEXES: "app.conversations.closed_at, unless the application had that column before",
    "analytics": "archived session-days, the record of deleted conversations, and alerts",
}
"""What is lost for good with the rollback of a migration; `--yes` is required."""


def down(lines: Sequence[Line] = LINES) -> str | None:
    """Roll back the newest applied migration of the given lines; return its name, or None if there is none.

    Raises:
        RollbackError: other objects depend on what it would drop, or other migrations do.
        MigrationError: the database is newer than this version.

    """
    with runner.alone() as connection:
        migration = record.newest_applied(connection, lines)
        if migration is None:
            return None
        others = [m for m in record.migrations(connection, LINES) if m.applied and m.name not in (migration.name, CODE)]
        if migration.name == "analytics" and any(m.line == "roles" for m in others):
            raise RollbackError(
                "analytics is not rolled back, the roles have rights on what it would drop: run "
                "`convo-pipelines migrate down --only roles` first"
            )
        try:
            _roll_back(connection, migration)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise RollbackError(refusal(f"{migration.name} is not rolled back", dependents_of(error))) from None
        name = SCHEMA_OF[migration.line]
        is_used = any(SCHEMA_OF[m.line] == name for m in others)
        if not is_used and set(record.relations(connection, name)) == {RECORD, schema.CODE}:
            connection.execute(sql.SQL("drop table {migrations}, {code}").format(**record.tables(name)))
    return migration.name


def _roll_back(connection: Connection, migration: Migration) -> None:
    line, name = migration.line, SCHEMA_OF[migration.line]
    file = record.file_of(line, migration.name, "rollback")
    if migration.name == INDEXES:
        runner.run_alone(connection, path("database/app_indexes/drop").read_text())
    elif migration.name == "analytics":
        if dependents := [row["dependent"] for row in fetch(connection, "database/migrations/dependents")]:
            raise RollbackError(refusal(f"{migration.name} is not rolled back", dependents))
        _release(connection)
    elif file.exists() and runner.is_concurrent(file):
        runner.run_alone(connection, file.read_text())

    def roll_back() -> None:
        if migration.name == "roles":
            for step in ("conversations_table", "drop", "conversations_view"):
                connection.execute(statement(f"database/roles/{step}"))
        elif migration.name == line:
            _drop(connection, line)
        elif file.exists() and not runner.is_concurrent(file):
            runner.run(connection, f"{migration.name} is not rolled back", file)
        names = [migration.name, CODE] if line in schema.SCHEMAS else [migration.name]
        execute(connection, "database/migrations/forget", record.tables(name), names=names)
        if line in schema.SCHEMAS:  # any version applies all of its own code, and drops the rest of this
            execute(connection, "database/migrations/forget_code", record.tables(name))
        grant_roles(connection)

    runner.in_one_transaction(connection, roll_back)


def _release(connection: Connection) -> None:
    """Drop all capture triggers, table by table: thousands in one transaction would run out of locks."""
    for table in fetch(connection, "database/migrations/captured"):
        drops = [
            sql.SQL("drop trigger if exists {} on {}").format(
                sql.Identifier(trigger), sql.Identifier(table["schema_name"], table["name"])
            )
            for trigger in table["triggers"]
        ]
        runner.in_one_transaction(connection, partial(connection.execute, sql.SQL("; ").join(drops)))


def _drop(connection: Connection, line: Line) -> None:
    """Drop what a line is made of, in an open transaction; decisions stay."""
    if line == "app":
        schema.drop(connection, line)
        return
    is_kept = fetch_one(connection, "database/migrations/has_decisions")["has_decisions"]
    schema.drop(connection, line, but=("curation",) if is_kept else ())
    for name in _former_tables(line):
        connection.execute(sql.SQL("drop table if exists {}").format(identifier(name)))
    connection.execute("comment on schema analytics is null")
    if not is_kept:
        connection.execute("drop schema curation")


def _former_tables(line: Line) -> list[str]:
    """Return the tables that only earlier versions have: rollbacks create them again."""
    rollbacks = sorted((record.FOLDER / line).glob("*/rollback.sql"))
    return [name for file in rollbacks for name in re.findall(r"^create table (\S+)", file.read_text(), re.MULTILINE)]
