"""The asset checks: what they find comes back as a count and a sample of the offending keys."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import dagster as dg

from convo_pipelines.scopes import EVERYTHING, Changes, parameters
from convo_pipelines.tables import markdown
from convo_pipelines.warehouse import Connection, Row, Warehouse, fetch

SAMPLE_ROWS = 10


def verdict(
    offenders: Sequence[Row], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR, **facts: int
) -> dg.AssetCheckResult:
    """Return a check's result: passed if there are no offenders, else how many, and the first ten as a table."""
    metadata: dict[str, dg.MetadataValue | int] = {"offenders": len(offenders), **facts}
    if offenders:
        metadata["sample"] = dg.MetadataValue.md(markdown(offenders[:SAMPLE_ROWS]))
    return dg.AssetCheckResult(passed=not offenders, severity=severity, metadata=metadata)


def sql_check(
    name: str,
    asset: str,
    description: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    *,
    leaves_out_pending: bool = False,
    **given: object,
) -> dg.AssetChecksDefinition:
    """Return the check of `asset`, such as `app/conversations`, that passes if `sql/checks/<name>.sql` has no rows.

    With `leaves_out_pending` the statement is told what the asset's next tick will see to. It gets what is `given`.
    """

    @dg.asset_check(name=name, asset=dg.AssetKey(asset.split("/")), description=description)
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with one_snapshot(warehouse) as connection:
            if leaves_out_pending:
                choose_pending(connection, asset)
            return verdict(fetch(connection, f"checks/{name}", **given), severity)

    return check


@contextmanager
def one_snapshot(warehouse: Warehouse) -> Generator[Connection]:
    """Lend a connection in a transaction all of whose statements see the same rows."""
    with warehouse.connection() as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        yield connection


def choose_pending(connection: Connection, name: str) -> None:
    """Create the temporary table `keys` with what the next tick of a derived table will see to."""
    state = fetch(connection, "state/look", asset_key=name)
    pending = Changes(state[0]["unread_since"], state[0]["taken"]) if state and state[0]["unread_since"] else None
    scope = parameters(pending) if pending else parameters(EVERYTHING)
    fetch(connection, f"keys/{name}", **scope, after=None, rows=None, crew_ids=None)
