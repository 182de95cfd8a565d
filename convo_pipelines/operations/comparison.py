"""Comparison of a derived table with a query on the tables of a former job, while both run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString, cast

from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, identifier
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.work import columns_of
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import schema

EXAMPLES = 10
NAMING = ("client_id", "conversation_id", "crew_id", "contact_method_id")
"""The columns of a key that say which client a row is of; the first one counts."""
TABLES = {table.name: table for table in DERIVED_TABLES if not table.rows.is_insert_only}


class ComparisonError(ConvoPipelinesError):
    """The query cannot be compared with the table; the message says what is wrong with it."""


@dataclass(frozen=True)
class Comparison:
    """What differs between a table and a query.

    Attributes:
        rows: of the query.
        columns: those that were compared, besides the key.
        ignored: columns of the query that the table does not compute.
        differences: one row per client and finding: client_code, finding, column_name, rows, and examples. The examples
            are up to ten keys, with both values. Findings are:

            - `missing`: the table lacks a row of the query;
            - `surplus`: the query lacks a row of the table;
            - `different`: a column differs;
            - `doubled`: the query returns a key more than once.

    """

    rows: int
    columns: Sequence[str]
    ignored: Sequence[str]
    differences: Sequence[Row]


def compare(warehouse: Warehouse, table_name: str, query: str, client: str | None = None) -> Comparison:
    """Compare a derived table with a query by the table's key, in one read-only snapshot.

    Values of the query are converted to the types of the table; of the table's columns, those are compared that the
    query returns. Changes that no tick has read yet differ, too.

    Args:
        warehouse: the database.
        table_name: of the derived table.
        query: a `select` that returns the columns of the table's key, and any others of the table.
        client: only differences of this client (its code).

    Raises:
        ComparisonError: there is no such table or client, or the query lacks a column of the table's key.
        psycopg.Error: the query fails.

    """
    schema.require(warehouse)
    if (table := TABLES.get(table_name.removeprefix("analytics."))) is None:
        raise ComparisonError(f"no derived table is called {table_name}; there are: {', '.join(TABLES)}")
    with warehouse.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("set transaction isolation level repeatable read")
        asked = _view_of(connection, query)
        connection.execute("set transaction read only")
        codes = [row["client_code"] for row in fetch(connection, "operations/comparison/clients_by_client_id")]
        if client is not None and client not in codes:
            raise ComparisonError(
                f"no client has the code {client}; there are: {', '.join(sorted(codes)[:20]) or 'none'}"
            )
        described = execute(connection, "operations/comparison/described", {"query": asked}).description
        given = [column.name for column in described or ()]
        key = table.rows.key
        if missing := [column for column in key if column not in given]:
            raise ComparisonError(
                f"the query returns no column {', '.join(missing)}: the key of {table.target} is {', '.join(key)}"
            )
        computed = columns_of(warehouse, connection, table)
        common = [name for name in computed if name in given]
        [compared, *found] = _differences(connection, table, asked, common, client)
    return Comparison(
        compared["rows"],
        [name for name in common if name not in key],
        [name for name in given if name not in computed],
        found,
    )


def _view_of(connection: Connection, query: str) -> sql.Composable:
    """Create a temporary view of the caller's query, whose names are looked up with the caller's search path."""
    text = sql.SQL(cast("LiteralString", query.strip().removesuffix(";")))
    connection.execute("set local search_path to default")
    connection.execute(sql.SQL("create temporary view asked as {}").format(text))
    connection.execute("set local search_path to ''")
    return sql.SQL("select * from pg_temp.asked")


def _differences(
    connection: Connection, table: DerivedTable, query: sql.Composable, names: Sequence[str], client: str | None
) -> list[Row]:
    key = table.rows.key
    typed = fetch(connection, "operations/comparison/columns", relation=table.target, names=list(names))
    named_by = next(column for column in NAMING if column in key)
    pair = fragment("operations/comparison/pair")
    identifiers = {
        "query": query,
        "relation": identifier(table.target),
        "key": _list(key),
        "columns": _list(names),
        "converted": sql.SQL(", ").join(
            sql.SQL("{column}::{type} as {column}").format(
                column=sql.Identifier(row["name"]), type=sql.SQL(cast("LiteralString", row["type"]))
            )
            for row in typed
        ),
        "pairs": sql.SQL("\n").join(
            pair.format(name=sql.Literal(name), column=sql.Identifier(name)) for name in names if name not in key
        ),
        "key_as_json": sql.SQL("jsonb_build_object({})").format(
            sql.SQL(", ").join(part for name in key for part in (sql.Literal(name), sql.Identifier(name)))
        ),
        "clients": fragment(f"operations/comparison/clients_by_{named_by}"),
        "named_by": sql.Identifier(named_by),
    }
    return fetch(connection, "operations/comparison/differences", identifiers, client=client, most=EXAMPLES)


def _list(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
