"""The asset checks; each reports the number of offenders and a sample of their keys."""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import LiteralString, cast

import dagster as dg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import Identifiers, fetch, fetch_one
from convo_pipelines.database.statements import exists, header, statement
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.keys import choose_keys
from convo_pipelines.engine.scopes import Changes
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.metadata import table as metadata_table

SAMPLE_ROWS = 10
_TAGS = re.compile("(in|out|severity|runs)\\b.*")


def verdict(
    offenders: int,
    sample: Sequence[Row],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **facts: int,
) -> dg.AssetCheckResult:
    """Return a check's result: passed if there are no offenders, else their number, and the first ten as a table."""
    metadata: dict[str, dg.MetadataValue | int] = {"offenders": offenders, **facts}
    if offenders:
        metadata["sample"] = metadata_table(sample[:SAMPLE_ROWS])
    return dg.AssetCheckResult(passed=not offenders, severity=severity, metadata=metadata)


def find(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> tuple[int, list[Row]]:
    """Run the statement `name`; return the number of its rows, and the first ten."""
    check = statement(name).format(**(identifiers or {}))
    inner = sql.SQL(cast("LiteralString", check.as_string(connection).rstrip().removesuffix(";")))
    rows = fetch(connection, "orchestration/checks/offenders", {"check": inner}, **parameters, sample_rows=SAMPLE_ROWS)
    offenders = rows[0]["offenders"] if rows else 0
    return offenders, [{column: value for column, value in row.items() if column != "offenders"} for row in rows]


def sql_check(statement_name: str, asset: str, **parameters: object) -> dg.AssetChecksDefinition:
    """Return a check that passes if a statement returns no rows; the statement bears its name, and describes it.

    The first lines of the statement's header are the description: what a failure means, and what to do. `severity:
    WARN` may follow; else a failure is an ERROR. A statement that takes `keys`, those that the next tick of its asset
    will refresh, has them in a temporary table. A table's step `facts` adds figures to the results of all its checks.

    Args:
        statement_name: such as `tables/people_conversations/checks/every_recipient_is_linked`.
        asset: such as `app/conversations`.
        parameters: of the statement.

    """
    lines = header(statement_name)
    description = " ".join(takewhile(lambda line: not _TAGS.match(line), lines))
    severity = dg.AssetCheckSeverity.WARN if "severity: WARN" in lines else dg.AssetCheckSeverity.ERROR
    takes_keys = any(line.startswith("in:  keys") for line in lines)
    facts = f"tables/{asset}/facts"

    @dg.asset_check(
        name=statement_name.rpartition("/")[2],
        asset=key(asset),
        description=description,
        metadata={"severity": severity.value},
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with one_snapshot(warehouse) as connection:
            if takes_keys:
                choose_pending(connection, asset)
            figures = fetch_one(connection, facts) if exists(facts) else {}
            return verdict(*find(connection, statement_name, **parameters), severity, **figures)

    return check


@contextmanager
def one_snapshot(warehouse: Warehouse) -> Generator[Connection]:
    """Lend a connection in a repeatable-read transaction: all of its statements see one snapshot.

    A policy of row-level security that would hide rows raises an error, as in a refresh.
    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("set local row_security = off")
        yield connection


def choose_pending(connection: Connection, name: str) -> None:
    """Create the temporary table `keys` with the keys that the next tick of a derived table will refresh."""
    [table] = (table for table in DERIVED_TABLES if table.name == name)
    now = fetch_one(connection, "engine/change_log/snapshot")["to_snapshot"]
    choose_keys(connection, table, Changes(unread_since(connection, name) or now, now))


def unread_since(connection: Connection, name: str) -> str | None:
    """Return the snapshot since which a derived table has not read changes; None before its first build."""
    state = fetch(connection, "engine/change_log/position", asset_keys=[name])
    return state[0]["unread_since"] if state else None
