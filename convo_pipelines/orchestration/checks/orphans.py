"""Referential integrity: no dangling references."""

import dagster as dg
from psycopg import sql

from convo_pipelines.database.warehouse import Row, Warehouse
from convo_pipelines.engine.refresh import names_of
from convo_pipelines.engine.registry import DERIVED_TABLES, DerivedTable
from convo_pipelines.orchestration.checks import find, one_snapshot, verdict


def _no_orphans(table: DerivedTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="no_orphans",
        asset=table.name,
        description="Rows with a dangling reference: a foreign key is missing or was bypassed. Delete these rows; "
        "`convo-pipelines migrate validate` names the missing constraint.",
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        offenders, sample = 0, list[Row]()
        target = table.rows
        with one_snapshot(warehouse) as connection:
            for column, parent in target.parents:
                names = names_of(table) | {"column": sql.Identifier(column), "parent": sql.Identifier("app", parent)}
                found, rows = find(connection, "orchestration/checks/no_orphans", names, parent=parent)
                offenders, sample = offenders + found, sample + rows
        return verdict(offenders, sample)

    return check


orphan_checks = [_no_orphans(table) for table in DERIVED_TABLES if table.rows.parents]
