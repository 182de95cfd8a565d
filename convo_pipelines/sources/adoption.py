"""Adoption: schema `app` as views over the owner's tables, captured on these."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from convo_pipelines.database import migrations
from convo_pipelines.database.warehouse import Connection, Warehouse, execute, fetch, fetch_one, identifier
from convo_pipelines.engine import binding, capture
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.sources import views
from convo_pipelines.sources.interface import HISTORIES, SOURCES, Source
from convo_pipelines.sources.views import View, ViewError

_log = logging.getLogger(__name__)


class AdoptionError(ConvoPipelinesError):
    """The file of views cannot be installed; the message names the view and the remedy. Nothing was changed."""


@dataclass(frozen=True)
class Adopted:
    """A view in `app`, and why it is not captured, if it is not."""

    table_name: str
    remark: str | None


def install(warehouse: Warehouse, file: Path | None) -> list[Adopted]:
    """Create the views of a file, and whatever is missing of `app` and `analytics`, and capture the tables beneath.

    Args:
        warehouse: of the role that owns the schemas, and may create triggers on the tables beneath.
        file: statements `create or replace view app.…`, every name qualified; None: the views that are there.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    if not any(migration.applied for migration in migrations.status(warehouse.url) if migration.line == "analytics"):
        migrations.up(url=warehouse.url)
    with warehouse.connection() as connection:
        with connection.transaction():
            create_views(connection, file)
        binding.bind_views(connection)
        with connection.transaction():
            adopted = _adopt(connection)
    capture.sync(warehouse)
    return adopted


def create_views(connection: Connection, file: Path | None) -> None:
    """Create the views of a file, in place of the reference tables, and an empty view for each source that is missing.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    if file is not None:
        _drop_reference(connection)
        connection.execute("set local search_path = ''")  # what it names is what was meant
        try:
            with connection.transaction():
                connection.execute(_trusted(file.read_text()))
        except psycopg.Error as error:
            raise AdoptionError(f"{file}: {error.diag.message_primary or error}{_hint(error)}") from None
    found = columns_of(connection)
    for name, wanted in SOURCES.items():
        if name not in found:
            connection.execute(_empty_view(name, wanted))
    failures = [
        failure
        for name, columns in found.items()
        if (wanted := SOURCES.get(name))
        for failure in differences(name, wanted, columns)
    ]
    if failures:
        raise AdoptionError("; ".join(failures))


def _drop_reference(connection: Connection) -> None:
    """Drop the tables of the reference schema, which have no rows.

    Raises:
        AdoptionError: they have.

    """
    tables = [row["table_name"] for row in fetch(connection, "sources/adoption/reference_tables")]
    relations = {name: {"relation": sql.Identifier("app", name)} for name in tables}
    if filled := [
        name for name in tables if fetch_one(connection, "sources/adoption/has_rows", relations[name])["has_rows"]
    ]:
        raise AdoptionError(
            f"app.{', app.'.join(filled)}: these tables of the reference schema have rows. Adopt your tables in a database "
            "without them"
        )
    if tables:
        _drop_views_of_ours(connection)
        connection.execute("drop schema app cascade; create schema app")


def _drop_views_of_ours(connection: Connection) -> None:
    """Drop the views of analytics that read app; `bind_views` makes them again."""
    for name in reversed([*binding.views()]):
        connection.execute(sql.SQL("drop view if exists {}").format(identifier(name)))


def columns_of(connection: Connection) -> dict[str, Mapping[str, str]]:
    """Return the type of each column of each table and view of `app`."""
    return {row["table_name"]: row["columns"] for row in fetch(connection, "sources/adoption/columns")}


def differences(name: str, wanted: Source, columns: Mapping[str, str]) -> list[str]:
    """Return how a table or view differs from what the pipeline reads, a sentence each."""
    failures: list[str] = []
    for column, described in wanted.columns.items():
        found = columns.get(column)
        if found is None and described.is_optional:
            failures.append(f"app.{name} has no column {column}: add null::{described.type} as {column}")
        elif found is None:
            failures.append(f"app.{name} has no column {column} ({described.type}: {described.meaning.rstrip('.')})")
        elif " collate " in found:
            failures.append(f'app.{name}.{column} is of type {found}: add collate "default"')
        elif not _is_like(found, described.type):
            failures.append(f"app.{name}.{column} is of type {found}, not {described.type}: cast it")
    return failures


def _is_like(found: str, wanted: str) -> bool:
    return found == wanted or (wanted == "text" and found.startswith("character varying"))


def _adopt(connection: Connection) -> list[Adopted]:
    """Create the trigger function of each view that can be captured, and store what it is captured on."""
    found: dict[str, View | str] = {}
    rows = {row["name"]: row for row in fetch(connection, "sources/adoption/views")}
    for name, row in rows.items():
        wanted = HISTORIES if row["is_histories"] else SOURCES[name]
        try:
            found[name] = views.read(connection, row["relation"], wanted.columns, wanted.logged)
        except ViewError as error:
            found[name] = str(error)
    captured = {name: view for name, view in found.items() if isinstance(view, View)}
    execute(connection, "sources/adoption/release_former", views=[view.oid for view in captured.values()])
    for name, view in captured.items():
        _install(connection, name, view, rows[name]["log_function"])
    _drop_former_functions(connection)
    return [Adopted(name, view if isinstance(view, str) else None) for name, view in found.items()]


def _drop_former_functions(connection: Connection) -> None:
    for row in fetch(connection, "sources/adoption/former_functions"):
        connection.execute(sql.SQL("drop function {}()").format(sql.Identifier("analytics", row["function_name"])))


def _install(connection: Connection, name: str, view: View, log_function: str) -> None:
    function = f"log_view_{view.oid}" if view.base else None
    if function:
        connection.execute(_trusted(view.trigger_function(connection, function, log_function)))
        revoke = sql.SQL("revoke all on function analytics.{}() from public").format(sql.Identifier(function))
        connection.execute(revoke)
    execute(
        connection,
        "sources/adoption/remember",
        table_name=name,
        view=view.oid,
        base=view.base and view.base["oid"],
        base_name=view.base and view.base["name"],
        views=list(view.views),
        function_name=function,
    )


def _empty_view(name: str, wanted: Source) -> sql.Composable:
    columns = [
        sql.SQL("null::{} as {}").format(_trusted(column.type), sql.Identifier(column_name))
        for column_name, column in wanted.columns.items()
    ]
    view = sql.Identifier("app", name)
    comment = sql.Literal("Empty: the application has no such rows. Created by convo_pipelines.")
    return sql.SQL("create view {} as select {} where false; comment on view {} is {}").format(
        view, sql.SQL(", ").join(columns), view, comment
    )


def _trusted(text: str) -> sql.SQL:
    """Return statements of ours, or of the owner's own file."""
    return sql.SQL(cast("LiteralString", text))


def _hint(error: psycopg.Error) -> str:
    if isinstance(
        error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedObject)
    ):
        return ": qualify each name with its schema"
    return ""


def release(warehouse: Warehouse) -> list[str]:
    """Drop the views, so that the tables beneath can be altered; return their names.

    Raises:
        AdoptionError: something else reads a view; nothing was changed.

    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute("set local search_path = ''")
        released = [row["table_name"] for row in fetch(connection, "sources/adoption/release")]
        execute(connection, "sources/adoption/release_former", views=[])
        _drop_former_functions(connection)
        try:
            _drop_views_of_ours(connection)
            for name in reversed(released):
                connection.execute(sql.SQL("drop view {}").format(sql.Identifier("app", name)))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise AdoptionError(f"{error.diag.message_primary}: {error.diag.message_detail}") from None
    return released


def restore(warehouse: Warehouse) -> list[Adopted]:
    """Make the views again that were dropped by `release`, with their rights, and capture the tables beneath.

    Raises:
        AdoptionError: a view cannot be made any more; nothing was changed.

    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute("set local search_path = ''")
        for row in fetch(connection, "sources/adoption/released"):
            try:
                with connection.transaction():
                    connection.execute(_trusted(row["statements"]))
            except psycopg.Error as error:
                raise AdoptionError(
                    f"app.{row['table_name']} cannot be made again: {error.diag.message_primary}; change it in the file "
                    "of views, and run `convo-pipelines adopt install FILE`"
                ) from None
        connection.execute("delete from analytics.released_views")
    return install(warehouse, None)
