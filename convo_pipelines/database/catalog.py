"""The catalog of a database, compared with the expected one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from convo_pipelines.database.statements import STATEMENTS, statement

FILE = STATEMENTS / "schema" / "catalog.txt"
"""The listing of all that `sql/schema/` defines, with the roles."""
Listing = dict[str, str]
"""Objects, as `kind name`, and their definitions."""


def listing(connection: psycopg.Connection[Any]) -> Listing:
    """Return the objects of app, analytics and curation in the database's catalog."""
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("set local search_path = ''")
        return dict(cursor.execute(statement("database/catalog/listing")).fetchall())


def unwanted_foreign_keys(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the foreign keys, as the listing names them, that the database does without."""
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        return {row[0] for row in cursor.execute(statement("database/catalog/unwanted_foreign_keys")).fetchall()}


def read(file: Path) -> Listing:
    """Return the listing in a file that `write` wrote."""
    lines = (line.split("\t", 1) for line in file.read_text().splitlines())
    return {name: definition.replace("\\n", "\n") for name, definition in lines}


def write(file: Path, objects: Listing) -> None:
    """Write a listing: a line per object, sorted."""
    lines = [f"{name}\t{definition}".replace("\n", "\\n") for name, definition in sorted(objects.items())]
    file.write_text("\n".join([*lines, ""]))


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Return a line per object that is missing or different, and per unexpected column or constraint of our tables.

    Other unexpected objects, such as relations, indexes and functions, are not ours and are ignored.
    """
    for name in expected:
        if name not in found:
            yield f"missing: {name}"
        elif found[name] != expected[name]:
            yield f"different: {name}"
    for name in found:
        kind, path = name.split(" ", 1)
        owner = path.rsplit(" on ", 1)[-1] if kind == "constraint" else path.rpartition(".")[0]
        is_ours = f"table {owner}" in expected and not owner.startswith("app.")
        if name not in expected and kind in ("column", "constraint") and is_ours:
            yield f"unexpected: {name}"


def failures(connection: psycopg.Connection[Any], check: str) -> Iterator[str]:
    """Return the failures of a check of the catalog, which raises an error or returns a row per failure."""
    try:
        with (
            connection.transaction(force_rollback=True),
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(statement(f"database/catalog/{check}"))
            yield from [row[0] for row in (cursor.fetchall() if cursor.description else [])]
    except psycopg.Error as error:
        yield error.diag.message_primary or str(error)
