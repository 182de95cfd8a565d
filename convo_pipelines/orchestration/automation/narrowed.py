"""The job `refresh_narrowed`: a refresh of some crews or clients, which no partition counts as done."""

from datetime import date, timedelta

import dagster as dg
from pydantic import Field

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.scopes import AFTER_LAST_DAY, FIRST_DAY, Window
from convo_pipelines.model import crews
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import schema
from convo_pipelines.orchestration.assets.common import counted
from convo_pipelines.orchestration.cells import key, tags
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.metadata import described

OP = "refresh_some"


class Narrowed(dg.Config):
    """Run config: what to refresh. At least one crew or client is named."""

    crews: list[str] = Field(default=[], description="Codes of the crews whose sessions to refresh.")
    clients: list[str] = Field(default=[], description="Codes of the clients whose conversations to refresh.")
    tables: list[str] = Field(default=[], description="Names of the derived tables; default: all.")
    first_day: str = Field(default=FIRST_DAY.isoformat(), description="The first UTC day; default: all days.")
    last_day: str | None = Field(default=None, description="The last UTC day; default: all days.")


@dg.op(name=OP)
def refresh_some(context: dg.OpExecutionContext, config: Narrowed, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """Refreshes the sessions of some crews, or the conversations of some clients, in the tables' order.

    Each table gets an observation with its counts. It gets no materialization: its days are not refreshed for everyone.
    """
    if not (config.crews or config.clients):
        raise dg.Failure(
            "no crew and no client is named: name one in the run config, or materialize the assets to refresh all",
        )
    if unknown := set(config.tables) - {table.name for table in DERIVED_TABLES}:
        raise dg.Failure(f"no derived table is called {', '.join(sorted(unknown))}")
    try:
        window = _window(config)
    except ValueError as error:
        raise dg.Failure(f"{error}: days are written as 2026-03-31") from None
    with plain_failures(context):
        schema.require(warehouse)
        narrowing = crews.select(warehouse, config.crews, config.clients)
        for table in DERIVED_TABLES:
            if config.tables and table.name not in config.tables:
                continue
            outcome, results = ticks.backfill(warehouse, table, window, context.log, narrowing)
            context.log.info("%s: %s", table.name, outcome)
            narrowed = {"narrowed_to": ", ".join([*config.crews, *config.clients])}
            facts = narrowed | counted(outcome, results) | described(warehouse, table)
            context.log_event(dg.AssetObservation(key(table.name), metadata=facts))
            if results and all(result.error for result in results):
                raise dg.Failure(f"all {len(results)} crews failed; {results[0].crew.code}: {results[0].error}")


@dg.job(
    description="Refreshes some crews or clients, named in the run config; days stay as they are shown.",
    tags=tags(),
)
def refresh_narrowed() -> None:
    """Run the refresh."""
    refresh_some()


def _window(config: Narrowed) -> Window:
    after = date.fromisoformat(config.last_day) + timedelta(days=1) if config.last_day else AFTER_LAST_DAY
    return Window.of_days(date.fromisoformat(config.first_day), after)
