"""Which tables the lake follows: triggers write their logs, and logs are kept until it has read them."""

from psycopg import sql

from convo_pipelines.database import transactions
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch_one
from convo_pipelines.database.locks import patiently
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES

LOCK_TIMEOUT = "1200ms"
"""More than deadlock_timeout, after which autovacuum yields. Only the pipeline writes to tables that are followed."""


def begin(warehouse: Warehouse, table: DerivedTable) -> None:
    """Have triggers log all changes of a table, if they do not yet; then all of its days will be written."""
    with warehouse.connection() as connection:
        if not fetch_one(connection, "lake/is_followed", relation=table.target, name=table.name)["is_followed"]:
            _run(connection, "lake/follow", table)


def end(warehouse: Warehouse) -> None:
    """Follow no table any more: logs are written and trimmed as if there were no lake."""
    with warehouse.connection() as connection:
        for table in DERIVED_TABLES:
            if table.lake_day:
                _run(connection, "lake/unfollow", table)


def _run(connection: Connection, name: str, table: DerivedTable) -> None:
    names = {
        "relation": sql.Literal(table.target),
        "function": sql.Literal(table.log.function),
        "name": sql.Literal(table.name),
        "is_logged_anyway": sql.Literal(table.log.has_triggers),
    }

    def attempt() -> None:
        with connection.transaction():
            transactions.begin(connection, None, LOCK_TIMEOUT)
            execute(connection, name, names)

    patiently(attempt)
