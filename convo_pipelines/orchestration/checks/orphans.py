"""Referential integrity: no dangling references."""

import dagster as dg
from psycopg import sql

from convo_pipelines.database.connections import Row
from convo_pipelines.database.declarations import logs
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.queries import names_of
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import find, one_snapshot, unread_since, verdict


def _no_orphans(table: DerivedTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="no_orphans",
        asset=key(table.name),
        description="Rows with a dangling reference, though no tick has a deletion to read: triggers or a foreign key "
        "were bypassed. `convo-pipelines reconcile` deletes these rows; `migrate validate` names a missing constraint.",
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        offenders, sample = 0, list[Row]()
        target = table.rows
        with one_snapshot(warehouse) as connection:
            since = unread_since(connection, table.name)
            for column, parent in target.parents:
                names = names_of(table) | {
                    "column": sql.Identifier(column),
                    "parent": sql.Identifier("app", parent),
                    "log": sql.Identifier("analytics", logs()[parent].name),
                }
                values = {"parent": parent, "unread_since": since}
                found, rows = find(connection, "orchestration/checks/no_orphans", names, **values)
                offenders, sample = offenders + found, sample + rows
        return verdict(offenders, sample)

    return check


orphan_checks = [_no_orphans(table) for table in DERIVED_TABLES if table.rows.parents]
