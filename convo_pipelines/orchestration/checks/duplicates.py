"""Uniqueness: no duplicate keys, which a missing constraint would allow."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.queries import names_of
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import find, one_snapshot, verdict


def _no_duplicates(table: DerivedTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="no_duplicates",
        asset=key(table.name),
        description="Rows with the same key: the unique constraint is missing. Delete the duplicates (in app, merge "
        "them); `convo-pipelines migrate validate` names the constraint.",
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with one_snapshot(warehouse) as connection:
            return verdict(*find(connection, "orchestration/checks/no_duplicates", names_of(table)))

    return check


duplicate_checks = [_no_duplicates(table) for table in DERIVED_TABLES]
