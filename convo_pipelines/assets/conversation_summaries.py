"""One summary row per conversation, whatever its source."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from convo_pipelines import discovery
from convo_pipelines.assets.common import RefreshScope, Scope, daily_asset, refresh_table, reported, window_of
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.warehouse import Counts, Warehouse

NAME = "conversation_summaries"


@daily_asset(
    group_name="conversations",
    deps=[
        histories_sessions, crew_conversations, ["app", "conversations"], ["app", "messages"],
        ["app", "message_recipients"],
    ],
)  # fmt: skip
def conversation_summaries(
    context: dg.AssetExecutionContext, config: Scope, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """One row per conversation with messages: how many, by whom, from when to when, how fast the first answer."""
    return reported(context, warehouse, NAME, lambda: refresh(warehouse, config.crews, window_of(context)))


def refresh(warehouse: Warehouse, crew_codes: Sequence[str], scope: RefreshScope | None) -> Counts:
    """Make the summaries of a window or slice right, or, without one, of everything since the watermark."""
    crew_ids = None
    if crew_codes:
        with warehouse.connection() as connection:
            crew_ids = [crew.id for crew in discovery.crews(connection, crew_codes)]
    return refresh_table(warehouse, NAME, scope, crew_ids=crew_ids)
