"""The asset checks: what they find comes back as a count and a sample of the offending keys."""

from collections.abc import Sequence

import dagster as dg

from convo_pipelines import watermarks
from convo_pipelines.tables import markdown
from convo_pipelines.warehouse import Row, Warehouse, fetch

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
    **parameters: object,
) -> dg.AssetChecksDefinition:
    """Return the check of `asset`, such as `app/conversations`, that passes if `sql/checks/<name>.sql` has no rows.

    With `leaves_out_pending` the statement is told what the asset's next tick will see to; it gets `parameters` too.
    """

    @dg.asset_check(name=name, asset=dg.AssetKey(asset.split("/")), description=description)
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with warehouse.connection() as connection:
            pending = {"pending_since": watermarks.pending_since(connection, asset)} if leaves_out_pending else {}
            return verdict(fetch(connection, f"checks/{name}", None, **parameters, **pending), severity)

    return check
