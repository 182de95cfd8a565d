"""Conversations of the crews' sessions, in the application's own table."""

import time
from typing import Any

import dagster as dg

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets.common import Scope, daily_asset, report
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.partitions import is_tick
from convo_pipelines.warehouse import Connection, Counts, Warehouse, fetch_one, locked
from convo_pipelines.windows import Window

NAME = "crew_conversations"


@daily_asset(group_name="conversations", deps=[histories_sessions])
def crew_conversations(
    context: dg.AssetExecutionContext, config: Scope, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """The rows of app.conversations that stand for crews' sessions: inserted where missing, never changed."""
    started = time.monotonic()
    with warehouse.connection() as connection:
        crews = discovery.crews(connection, config.crews)
        tick = watermarks.begin(connection, NAME) if is_tick(context) else None
    window = tick.window if tick else Window.of(context)

    def insert_missing(connection: Connection, result: discovery.CrewResult) -> None:
        crew = result.crew
        with locked(connection, NAME, crew.code):
            row = fetch_one(
                connection, "refresh/crew_conversations", crew_id=crew.id, client_id=crew.client_id, **window.bounds
            )
            result.counts = Counts(**row)

    results = discovery.for_each_crew(warehouse, crews, insert_missing, context.log)
    if tick and not any(result.error for result in results):
        with warehouse.connection() as connection:
            watermarks.finish(connection, tick)
    counts = sum((result.counts for result in results), Counts())
    return report(warehouse, "app.conversations", counts, started, results)
