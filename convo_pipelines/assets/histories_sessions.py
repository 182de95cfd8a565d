"""Sessions, discovered from the crews' histories tables."""

from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines.assets.common import Scope, daily_asset, refreshed
from convo_pipelines.registry import HISTORIES_SESSIONS
from convo_pipelines.warehouse import Warehouse


class HistoriesScope(Scope):
    """A backfill's crews, and what it does to days that were pruned from their histories tables."""

    forget_pruned_days: bool = Field(
        default=False,
        description="Delete the rows of days whose messages were pruned from the histories tables; else they are kept.",
    )


@daily_asset(group_name="sessions", deps=[["app", "crews"]])
def histories_sessions(
    context: dg.AssetExecutionContext, config: HistoriesScope, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """One row per crew, session and UTC day with messages: counts and times, as partial aggregates."""
    return refreshed(context, warehouse, HISTORIES_SESSIONS, config.crews, forget_pruned_days=config.forget_pruned_days)
