"""Statements of `sql/`, run on a connection, and what comes back: rows, counts of changed rows, errors."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.statements import statement

Identifiers = Mapping[str, sql.Composable]


@dataclass(frozen=True)
class Counts:
    """The rows that a refresh inserted, updated, deleted and left unchanged."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Add the counts of two refreshes."""
        return Counts(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.unchanged + other.unchanged,
        )

    def __str__(self) -> str:
        """Return them in words, without those that are none."""
        counted = ((self.inserted, "inserted"), (self.updated, "updated"), (self.deleted, "deleted"))
        words = [f"{rows:,} {what}" for rows, what in (*counted, (self.unchanged, "unchanged")) if rows]
        return ", ".join(words) or "no rows"

    @property
    def changed(self) -> int:
        """The number of rows that were changed."""
        return self.inserted + self.updated + self.deleted

    @property
    def total(self) -> int:
        """The number of rows that were compared."""
        return self.changed + self.unchanged


def identifier(relation: str) -> sql.Identifier:
    """Return a relation, given as `schema.table`, as an identifier."""
    return sql.Identifier(*relation.split("."))


def histories(table: str) -> Identifiers:
    """Return the identifier for the placeholder `{histories}`: a table in schema `app`."""
    return {"histories": sql.Identifier("app", table)}


def execute(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> psycopg.Cursor[Row]:
    """Run the statement `name`.

    Args:
        connection: where to run it.
        name: path under `sql/`, without the ending.
        identifiers: fill its `{placeholders}`.
        parameters: values of its named parameters.

    """
    return connection.execute(statement(name).format(**(identifiers or {})), parameters)


def fetch(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> list[Row]:
    """Run the statement `name` and return its rows; arguments as of `execute`."""
    return execute(connection, name, identifiers, **parameters).fetchall()


def fetch_one(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> Row:
    """Run the statement `name`, which returns exactly one row, and return it; arguments as of `execute`."""
    [row] = fetch(connection, name, identifiers, **parameters)
    return row


def query_prepared(connection: Connection, query: bytes, parameters: Mapping[str, object]) -> list[Row]:
    """Run a query whose plan does not depend on its parameters, and return its rows.

    It is prepared if it is run often, unless a connection pooler is in between.
    """
    return connection.execute(query, parameters, prepare=None).fetchall()


def run_prepared(connection: Connection, name: str, **parameters: object) -> psycopg.Cursor[Row]:
    """Run the statement `name`, which has no placeholders, as `query_prepared`."""
    return connection.execute(statement(name), parameters, prepare=None)


def fetch_prepared(connection: Connection, name: str, **parameters: object) -> list[Row]:
    """Run the statement `name`, which has no placeholders, as `query_prepared`, and return its rows."""
    return run_prepared(connection, name, **parameters).fetchall()


def error_message(error: Exception) -> str:
    """Return the message of an error, without its detail, which may quote personal data of a row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or str(error)).strip() or type(error).__name__
