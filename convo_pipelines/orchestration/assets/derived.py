"""The assets that keep the derived tables right, made from the registry."""

from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DERIVED_TABLES, HISTORIES_SESSIONS, DerivedTable
from convo_pipelines.orchestration.assets.common import Narrowed, daily_asset, refreshed
from convo_pipelines.orchestration.metadata import code, version


class Pruned(dg.Config):
    """What a backfill does to days that were pruned from their histories tables."""

    forget_pruned_days: bool = Field(
        default=False,
        description="Delete the rows of days whose messages were pruned from the histories tables; else they are kept.",
    )


def _asset(table: DerivedTable) -> dg.AssetsDefinition:
    definition = daily_asset(
        name=table.name,
        description=table.description,
        group_name=table.group,
        deps=[*_sources(table), *_above(table)],
        code_version=version(table.statements),
        metadata={"dagster/table_name": table.target, **code(table.statements)},
    )

    if table is HISTORIES_SESSIONS:

        @definition
        def histories(
            context: dg.AssetExecutionContext,
            config: Pruned,
            narrowed: Narrowed,
            warehouse: dg.ResourceParam[Warehouse],
        ) -> dg.MaterializeResult[Any]:
            return refreshed(context, warehouse, table, narrowed, forget_pruned_days=config.forget_pruned_days)

        return histories

    @definition
    def derived(
        context: dg.AssetExecutionContext, narrowed: Narrowed, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult[Any]:
        return refreshed(context, warehouse, table, narrowed)

    return derived


def _sources(table: DerivedTable) -> list[list[str]]:
    decided = [["curation", name] for name in table.changes if name == "participant_decisions"]
    return [["app", source] for source in table.sources] + decided


def _above(table: DerivedTable) -> list[str]:
    """The derived tables whose changes it reads; where it reads conversations, those of the crews come first."""
    names = [other.name for other in DERIVED_TABLES]
    made = ["crew_conversations"] if "conversations" in table.changes else []
    return [name for name in names if name in table.changes or name in made]


derived_assets = [_asset(table) for table in DERIVED_TABLES]
