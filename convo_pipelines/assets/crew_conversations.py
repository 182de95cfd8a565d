"""Conversations of the crews' sessions, in the application's own table."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets.common import Scope, daily_asset, report, window_of
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.discovery import Crew, CrewResult, total
from convo_pipelines.warehouse import Connection, Counts, Warehouse, fetch_one, locked
from convo_pipelines.windows import Window

NAME = "crew_conversations"
TABLE = "app.conversations"


@daily_asset(group_name="conversations", deps=[histories_sessions])
def crew_conversations(
    context: dg.AssetExecutionContext, config: Scope, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """The rows of app.conversations that stand for crews' sessions: inserted where missing, never changed."""
    started = time.monotonic()
    with warehouse.connection() as connection:
        crews = discovery.crews(connection, config.crews)
    results = refresh(warehouse, crews, window_of(context), context.log)
    return report(warehouse, TABLE, total(results), started, results)


def refresh(
    warehouse: Warehouse, crews: Sequence[Crew], window: Window | None, log: logging.Logger
) -> list[CrewResult]:
    """Insert the conversations that sessions of a window lack, or, without a window, of all refreshed sessions."""
    tick = None
    if window is None:
        with warehouse.connection() as connection:
            tick = watermarks.begin(connection, NAME)
        window = tick.window
    bounds = window.bounds

    def insert_missing(connection: Connection, result: CrewResult) -> None:
        crew = result.crew
        with locked(connection, NAME, str(crew.id)):
            row = fetch_one(connection, f"refresh/{NAME}", crew_id=crew.id, client_id=crew.client_id, **bounds)
            result.counts = Counts(**row)

    results = discovery.for_each_crew(warehouse, crews, insert_missing, log)
    if tick and not any(result.error for result in results):
        with warehouse.connection() as connection:
            watermarks.finish(connection, tick)
    warehouse.analyze(TABLE, total(results))
    return results
