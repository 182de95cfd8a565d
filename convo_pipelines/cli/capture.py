"""`convo-pipelines capture`: the triggers that log changes."""

from collections.abc import Sequence

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture as triggers
from convo_pipelines.model.tables import REGISTRY


@click.group(cls=Group)
def capture() -> None:
    """Log the changes of tables by triggers, or stop; reconcile reads those that are not captured."""


@capture.command()
@click.argument("tables", nargs=-1)
def on(tables: Sequence[str]) -> None:
    """Install the triggers on TABLES; by default on all source tables."""
    triggers.switch(Warehouse(), REGISTRY, tables, on=True)
    _print()


@capture.command()
@click.argument("tables", nargs=-1)
def off(tables: Sequence[str]) -> None:
    """Drop the triggers on TABLES, one table at a time; by default on all source tables."""
    triggers.switch(Warehouse(), REGISTRY, tables, on=False)
    _print()


@capture.command()
@click.argument("table", required=False)
def status(table: str | None) -> None:
    """Show which tables are captured, and why others are not."""
    _print(table)


def _print(table: str | None = None) -> None:
    with Warehouse().connection() as connection:
        print_table(console, triggers.status(connection, table and table.rpartition(".")[2]))
