"""The assets of the derived tables, generated from the registry."""

import warnings
from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines.database.declarations import personal_columns, sources
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS
from convo_pipelines.orchestration import freshness
from convo_pipelines.orchestration.assets.common import refreshed
from convo_pipelines.orchestration.cells import key, pool
from convo_pipelines.orchestration.crons import cron_of
from convo_pipelines.orchestration.metadata import code, declared, version
from convo_pipelines.orchestration.partitions import days

TIERS = {"links": "1", "conversations": "1", "sessions": "2", "participants": "2", "activity": "3"}
"""1: read by the application's screens; 2: what these are made from; 3: read by analysts only."""


class Pruned(dg.Config):
    """Run config: how a backfill treats days that were pruned from their histories tables."""

    forget_pruned_days: bool = Field(
        default=False,
        description="Delete the rows of days whose messages were pruned from the histories tables; default: keep them.",
    )


def _asset(table: DerivedTable) -> dg.AssetsDefinition:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parameter `backfill_policy`.* is currently in beta")
        definition = dg.asset(
            key=key(table.name),
            description=table.description,
            group_name=table.group,
            deps=[key(name) for name in (*_sources(table), *_upstream(table))],
            partitions_def=days if table.grain.has_days else None,
            backfill_policy=dg.BackfillPolicy.single_run(),
            pool=pool(),
            kinds={"postgres"},
            owners=["team:data"],
            code_version=version(table.statements),
            metadata={
                "dagster/table_name": table.target,
                "dagster/storage_kind": "postgres",
                **code(table.statements),
                **declared(table),
            },
            tags={
                "personal_data": "yes" if personal_columns(table.name) else "no",
                "tier": TIERS.get(table.group, "3"),
            },
            freshness_policy=freshness.policy(cron_of(table)),
        )

    if table is HISTORIES_SESSIONS:

        @definition
        def histories(
            context: dg.AssetExecutionContext,
            config: Pruned,
            warehouse: dg.ResourceParam[Warehouse],
        ) -> dg.MaterializeResult[Any]:
            return refreshed(context, warehouse, table, forget_pruned_days=config.forget_pruned_days)

        return histories

    @definition
    def derived(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[Any]:
        return refreshed(context, warehouse, table)

    return derived


def _sources(table: DerivedTable) -> list[str]:
    followed = {change.partition(" ")[0] for change in table.changes}
    others = (of for name, of in sources().items() if name in followed and (name == "histories" or of.schema != "app"))
    return [f"app/{source}" for source in table.sources] + [f"{of.schema}/{of.relation}" for of in others]


def _upstream(table: DerivedTable) -> list[str]:
    """Return the derived tables that it reads; `crew_conversations`, which inserts into conversations, is one."""
    names = [other.name for other in DERIVED_TABLES]
    made = ["crew_conversations"] if "conversations" in table.changes else []
    return [name for name in names if name in table.changes or name in made]


derived_assets = [_asset(table) for table in DERIVED_TABLES]
