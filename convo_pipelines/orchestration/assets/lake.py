"""The assets of the lake: a table each, partitioned by day, refreshed from what its derived table has changed."""

import warnings
from typing import Any

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import comparison, refresh
from convo_pipelines.lake.tables import LAKE_TABLES, LakeTable
from convo_pipelines.operations import schema
from convo_pipelines.orchestration.cells import key, pool
from convo_pipelines.orchestration.checks import verdict
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.partitions import TICK_TAG, days, materialize_days, window_of
from convo_pipelines.settings import settings


def _asset(table: LakeTable) -> dg.AssetsDefinition:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parameter `backfill_policy`.* is currently in beta")

        @dg.asset(
            key=key(f"lake/{table.name}"),
            description=f"{table.table.description} In the lake: an Iceberg table of all cells.",
            group_name="lake",
            deps=[key(table.name)],
            partitions_def=days,
            backfill_policy=dg.BackfillPolicy.single_run(),
            pool=pool(),
            kinds={"iceberg"},
            owners=["team:data"],
            metadata={"dagster/table_name": f"convo_pipelines.{table.name}", "dagster/storage_kind": "iceberg"},
            tags={"tier": "3"},
        )
        def asset(
            context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
        ) -> dg.MaterializeResult[Any]:
            with plain_failures(context):
                schema.require(warehouse)
                if TICK_TAG in context.run.tags:
                    written = refresh.tick(warehouse, table)
                else:
                    written = refresh.backfill(warehouse, table, window_of(context))
            facts = {"rows_written": written.rows, "days_written": len(written.days), "ms": written.milliseconds}
            context.log.info("lake/%s: %s", table.name, facts)
            context.add_asset_metadata(facts, partition_key=context.partition_key_range.end)
            materialize_days(context, written.days)
            return dg.MaterializeResult()

    return asset


def _check(table: LakeTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="every_day_is_in_the_lake",
        asset=key(f"lake/{table.name}"),
        description="Days whose counts and sums in the lake differ from those of the table, except days that the next "
        "tick will write. Somebody else changed files or the catalog. Materialize the days shown.",
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        found = comparison.differences(warehouse, table)
        rows = [vars(difference) | {"columns": ", ".join(difference.columns)} for difference in found]
        return verdict(len(rows), rows)

    return check


def _shared(table: LakeTable) -> dg.AssetSpec:
    """Return the table of all cells, which none of them owns: the UI shows what each writes into it."""
    return dg.AssetSpec(
        dg.AssetKey(["lake", table.name]),
        deps=[key(f"lake/{table.name}")],
        description=f"{table.table.description} Of all cells, each of which writes its own days.",
        group_name="lake",
        kinds={"iceberg"},
        owners=["team:data"],
    )


lake_assets: list[dg.AssetsDefinition | dg.AssetSpec] = [_asset(table) for table in LAKE_TABLES]
if settings().convo_cell:
    lake_assets += [_shared(table) for table in LAKE_TABLES]
lake_checks = [_check(table) for table in LAKE_TABLES]
