"""No key twice: the constraints forbid it, these checks notice where one is missing."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.refresh import names_of
from convo_pipelines.engine.registry import DERIVED_TABLES, DerivedTable
from convo_pipelines.orchestration.checks import find, one_snapshot, verdict


def _no_duplicates(table: DerivedTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="no_duplicates",
        asset=table.name,
        description="Two rows with one key: its unique key is missing. Delete one (in app, let the application merge "
        "them); `convo-pipelines migrate validate` names the key.",
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with one_snapshot(warehouse) as connection:
            return verdict(*find(connection, "orchestration/checks/no_duplicates", names_of(table)))

    return check


duplicate_checks = [_no_duplicates(table) for table in DERIVED_TABLES]
