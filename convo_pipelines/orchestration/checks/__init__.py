"""The asset checks: what they find comes back as a count and a sample of the offending keys."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import LiteralString, cast

import dagster as dg
from psycopg import sql

from convo_pipelines.database.statements import exists, statement
from convo_pipelines.database.warehouse import Connection, Identifiers, Row, Warehouse, fetch, fetch_one
from convo_pipelines.engine import refresh
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.engine.scopes import Changes
from convo_pipelines.orchestration.metadata import table as metadata_table

SAMPLE_ROWS = 10


def verdict(
    offenders: int,
    sample: Sequence[Row],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **facts: int,
) -> dg.AssetCheckResult:
    """Return a check's result: passed if there are no offenders, else how many, and the first ten as a table."""
    metadata: dict[str, dg.MetadataValue | int] = {"offenders": offenders, **facts}
    if offenders:
        metadata["sample"] = metadata_table(sample[:SAMPLE_ROWS])
    return dg.AssetCheckResult(passed=not offenders, severity=severity, metadata=metadata)


def find(
    connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> tuple[int, list[Row]]:
    """Run `sql/<name>.sql`; return how many rows it finds, and the first ten."""
    check = statement(name).format(**(identifiers or {}))
    inner = sql.SQL(cast("LiteralString", check.as_string(connection).rstrip().removesuffix(";")))
    rows = fetch(connection, "orchestration/checks/offenders", {"check": inner}, **parameters, sample_rows=SAMPLE_ROWS)
    offenders = rows[0]["offenders"] if rows else 0
    return offenders, [{column: value for column, value in row.items() if column != "offenders"} for row in rows]


def sql_check(
    name: str,
    asset: str,
    description: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    *,
    leaves_out_pending: bool = False,
    **given: object,
) -> dg.AssetChecksDefinition:
    """Return the check of `asset`, such as `app/conversations`, that passes if the statement of that name has no rows.

    With `leaves_out_pending` the statement is told what the asset's next tick will see to. It gets what is `given`.
    """

    @dg.asset_check(
        name=name,
        asset=dg.AssetKey(asset.split("/")),
        description=description,
        metadata={"severity": severity.value},
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with one_snapshot(warehouse) as connection:
            if leaves_out_pending:
                choose_pending(connection, asset)
            return verdict(*find(connection, statement_of(name, asset), **given), severity)

    return check


def statement_of(name: str, asset: str) -> str:
    """Return where the statement of an asset's check is: beside the table, or with those that serve several."""
    own = f"tables/{asset}/checks/{name}"
    return own if exists(own) else f"orchestration/checks/{name}"


@contextmanager
def one_snapshot(warehouse: Warehouse) -> Generator[Connection]:
    """Lend a connection in a transaction all of whose statements see the same rows."""
    with warehouse.connection() as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        yield connection


def choose_pending(connection: Connection, name: str) -> None:
    """Create the temporary table `keys` with what the next tick of a derived table will see to."""
    [table] = (table for table in DERIVED_TABLES if table.name == name)
    now = fetch_one(connection, "engine/log/snapshot")["to_snapshot"]
    state = fetch(connection, "engine/log/position", asset_key=name)
    unread_since = state[0]["unread_since"] if state else None
    refresh.choose_keys(connection, table, Changes(unread_since or now, now))
