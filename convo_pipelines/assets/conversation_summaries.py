"""One summary row per conversation, whatever its source."""

import time
from typing import Any

import dagster as dg

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets.common import Scope, daily_asset, report
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.partitions import is_tick
from convo_pipelines.warehouse import Counts, Warehouse, fetch_one
from convo_pipelines.windows import Window

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
    started = time.monotonic()
    with warehouse.locked(NAME) as connection:
        crew_ids = [crew.id for crew in discovery.crews(connection, config.crews)] if config.crews else None
        tick = watermarks.begin(connection, NAME) if is_tick(context) else None
        window = tick.window if tick else Window.of(context)
        row = fetch_one(connection, f"refresh/{NAME}", **window.bounds, crew_ids=crew_ids)
        if tick:
            watermarks.finish(connection, tick)
    counts = Counts(**row)
    context.log.info("%s: %s, %d ms", NAME, counts, (time.monotonic() - started) * 1000)
    return report(warehouse, f"analytics.{NAME}", counts, started)
