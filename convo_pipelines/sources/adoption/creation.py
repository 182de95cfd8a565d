"""Views in schema `app`: created from a file, in place of the reference tables, beside them, or in place of views."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.declarations import Source
from convo_pipelines.database.execution import execute, fetch, fetch_one, identifier
from convo_pipelines.database.statements import trusted
from convo_pipelines.engine import binding
from convo_pipelines.sources.adoption.files import AdoptionError, Statement, differences, statements
from convo_pipelines.sources.interface import SOURCES


def create_views(connection: Connection, file: Path | None) -> set[str]:
    """Create the views of a file, in place of the reference tables, and an empty view for each source that is missing.

    Views over the owner's tables that the file no longer has are dropped. A file with views of histories only is
    different: reference tables, and views beside them, stay. Returns the names of the views that the file has.

    Args:
        connection: in a transaction with an empty search path, so that what the file names is what is meant.
        file: the statements; None: the views are there.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    created = set[str]()
    if file is not None:
        read = list(statements(file))
        names = {of.name for of in read if of.is_view}
        reference = [row["table_name"] for row in fetch(connection, "sources/adoption/reference_tables")]
        is_beside = bool(reference) and not names & SOURCES.keys()
        if not is_beside:
            _drop_reference(connection, reference)
        execute(connection, "sources/adoption/forget_released", names=[*names] if is_beside else None)
        created = _create_views(connection, read)
        if not is_beside:
            _drop_left_out(connection, created)
    found = {row["table_name"]: row for row in fetch(connection, "sources/adoption/columns")}
    for name in SOURCES.keys() - found.keys():
        connection.execute(_empty_view(name, SOURCES[name]))
    failures = [failure for name in created for failure in differences(name, found[name]["columns"])]
    if failures:
        raise AdoptionError("; ".join(sorted(failures)))
    return created


def _create_views(connection: Connection, read: Sequence[Statement]) -> set[str]:
    """Create views; return their names."""
    created = set[str]()
    for where, name, is_view, text in read:
        if is_view and name in created:
            raise AdoptionError(f"{where}: app.{name} is in the file twice")
        try:
            with connection.transaction():
                connection.execute(trusted(text))
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.DuplicateTable) as error:
            if not _replace(connection, name, text):
                raise AdoptionError(f"{where}: app.{name}: {error.diag.message_primary}: rename or drop it") from None
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.LockNotAvailable):
            raise
        except psycopg.Error as error:
            raise AdoptionError(f"{where}: app.{name}: {error.diag.message_primary or error}{_hint(error)}") from None
        if is_view:
            created.add(name)
    return created


def _drop_left_out(connection: Connection, created: Collection[str]) -> None:
    """Drop the views over the owner's tables that a file no longer has."""
    for row in fetch(connection, "sources/adoption/left_out", names=[*created]):
        _drop_views_of_ours(connection)
        _drop(connection, row["table_name"])


def views_of_ours() -> list[str]:
    """Return the views of analytics that read app, those on others first."""
    return [*reversed(binding.views())]


def _drop_views_of_ours(connection: Connection) -> None:
    """Drop the views of analytics that read app; `bind_views` makes them again."""
    for name in views_of_ours():
        connection.execute(sql.SQL("drop view if exists {}").format(identifier(name)))


def _drop_reference(connection: Connection, tables: Sequence[str]) -> None:
    """Drop the tables of the reference schema, which have no rows.

    Raises:
        AdoptionError: they have.

    """
    relations = {name: {"relation": sql.Identifier("app", name)} for name in tables}
    if filled := [
        name for name in tables if fetch_one(connection, "sources/adoption/has_rows", relations[name])["has_rows"]
    ]:
        raise AdoptionError(
            f"app.{', app.'.join(filled)}: these tables of the reference schema have rows. Beside them, a file may "
            "have views of histories only; adopt other tables in a database without them"
        )
    if tables:
        _drop_views_of_ours(connection)
        execute(connection, "sources/adoption/drop_reference")


def _replace(connection: Connection, name: str, text: str) -> bool:
    """Create a view in place of one with other columns; its owner, comments, rights and triggers stay.

    Returns False if what has the name is no view.
    """
    found = fetch(connection, "sources/adoption/described", names=[name])
    if not found:
        return False
    [described] = found
    _drop_views_of_ours(connection)
    _drop(connection, name)
    connection.execute(trusted(text))
    for right in described["rights"]:
        with suppress(psycopg.errors.UndefinedColumn), connection.transaction():
            connection.execute(trusted(right))
    return True


def _drop(connection: Connection, name: str) -> None:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("drop view {}").format(sql.Identifier("app", name)))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise AdoptionError(
            f"app.{name} cannot be replaced: {error.diag.message_detail}; drop that before, and make it again after"
        ) from None


def _empty_view(name: str, wanted: Source) -> sql.Composed:
    columns = [
        sql.SQL("null::{} as {}").format(trusted(column.type), sql.Identifier(column_name))
        for column_name, column in wanted.columns.items()
    ]
    view = sql.Identifier("app", name)
    comment = sql.Literal("Empty: the application has no such rows. Created by convo_pipelines.")
    return sql.SQL("create view {} as select {} where false; comment on view {} is {}").format(
        view, sql.SQL(", ").join(columns), view, comment
    )


def _hint(error: psycopg.Error) -> str:
    unknown = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedObject)
    is_qualified = "." in (error.diag.message_primary or "")
    return ": qualify each name with its schema" if isinstance(error, unknown) and not is_qualified else ""
