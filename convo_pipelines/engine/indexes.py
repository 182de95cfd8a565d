"""Indexes of a large table that its first build does without: made at the end, sorted, they cost half as much."""

import logging

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row, configure
from convo_pipelines.database.execution import error_message, execute, fetch, fetch_one, identifier
from convo_pipelines.database.transactions import PASSING_ERRORS, transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable

MANY_KEYS = 50_000
"""A table with fewer keys is built with its indexes."""

_log = logging.getLogger(__name__)


def defer(connection: Connection, table: DerivedTable) -> None:
    """Drop the indexes of an empty table that neither a build nor a foreign key needs, unless it is locked."""
    needed = {column for column, _ in table.rows.parents} | {column for _, column in table.grain.keyed_by}
    target: dict[str, sql.Composable] = {"target": identifier(table.target)}
    try:
        with transaction(connection):
            connection.execute(sql.SQL("lock table {target} in access exclusive mode").format(**target))
            if connection.execute(sql.SQL("select from {target} limit 1").format(**target)).fetchall():
                return
            for index in fetch(connection, "engine/indexes/deferrable", relation=table.target, columns=list(needed)):
                execute(connection, "engine/indexes/note", table_name=table.name, **index)
                connection.execute(sql.SQL("drop index {}").format(_name(index)))
    except (*PASSING_ERRORS, psycopg.errors.InsufficientPrivilege):
        _log.info("%s is built with its indexes", table.name)


def restore(warehouse: Warehouse, holder: Connection, table: DerivedTable) -> None:
    """Make the dropped indexes of a table again, without locking it; what fails is left to the next reconcile.

    Args:
        warehouse: the database.
        holder: a connection outside of a transaction, which keeps other processes from the same meanwhile.
        table: the table.

    """
    with transaction(holder):
        if fetch_one(holder, "engine/indexes/begin", {"table_name": sql.Literal(table.name)})["is_mine"]:
            with warehouse.connection() as connection:
                _restore(connection, table)


def _restore(connection: Connection, table: DerivedTable) -> None:
    missing = fetch(connection, "engine/indexes/missing", table_name=table.name)
    if not missing:
        return
    try:
        connection.execute("set statement_timeout = 0")
        connection.execute("set maintenance_work_mem = '256MB'")
        for index in missing:
            if index["is_there"] and not index["is_valid"]:
                connection.execute_alone(sql.SQL("drop index concurrently if exists {}").format(_name(index)))
            if not index["is_valid"]:
                connection.execute_alone(index["definition"])
            execute(connection, "engine/indexes/done", index_name=index["index_name"])
    except (*PASSING_ERRORS, psycopg.errors.DuplicateTable) as error:
        message = error_message(error)
        _log.warning("an index of %s could not be made (%s): the next reconcile tries again", table.name, message)
    finally:
        connection.execute("reset maintenance_work_mem")
        if not connection.is_pooled:
            configure(connection)


def _name(index: Row) -> sql.Identifier:
    return sql.Identifier("analytics", index["index_name"])
