"""One summary row per conversation, whatever its source."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import dagster as dg

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets.common import Scope, daily_asset, report, window_of
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.warehouse import Connection, Counts, Warehouse, fetch_one
from convo_pipelines.windows import Window

NAME = "conversation_summaries"
TABLE = "analytics.conversation_summaries"


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
    counts = refresh(warehouse, config.crews, window_of(context))
    context.log.info("%s: %s, %d ms", NAME, counts, (time.monotonic() - started) * 1000)
    return report(warehouse, TABLE, counts, started)


def refresh(warehouse: Warehouse, crew_codes: Sequence[str], window: Window | None) -> Counts:
    """Make the summaries of a window right, or, without a window, of everything since the watermark."""
    with warehouse.locked(NAME) as connection:
        crew_ids = [crew.id for crew in discovery.crews(connection, crew_codes)] if crew_codes else None
        if window is None:
            tick = watermarks.begin(connection, NAME)
            counts = _refresh(connection, tick.window, crew_ids)
            watermarks.finish(connection, tick)
        else:
            counts = _refresh(connection, window, crew_ids)
    warehouse.analyze(TABLE, counts)
    return counts


def _refresh(connection: Connection, window: Window, crew_ids: list[UUID] | None) -> Counts:
    return Counts(**fetch_one(connection, f"refresh/{NAME}", **window.bounds, crew_ids=crew_ids))
