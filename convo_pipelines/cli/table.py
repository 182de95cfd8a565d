"""`convo-pipelines table`: how a derived table is refreshed."""

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.database.statements import statement
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import TABLES
from convo_pipelines.operations import schema

NAME = click.argument("name", type=click.Choice(list(TABLES)))


@click.group(cls=Group)
def table() -> None:
    """Show the statements that refresh a derived table."""


@table.command()
@NAME
def keys(name: str) -> None:
    """Print the statements that find the keys that a tick, and a backfill of days, refreshes."""
    _print(name, "keys")
    if window := TABLES[name].own("window"):
        click.echo(f"-- The keys with activity in a window of days:\n{statement(window).as_string()}")


@table.command()
@NAME
def show(name: str) -> None:
    """Print the statements with which a tick refreshes a few keys, as they are sent.

    `%(name)s` is a parameter.
    """
    _print(name, *ticks.STATEMENTS)


def _print(name: str, *shown: str) -> None:
    warehouse = Warehouse()
    schema.require(warehouse)
    statements = ticks.statements(warehouse, TABLES[name])
    for what in shown:
        click.echo(f"-- {ticks.STATEMENTS[what]}\n{statements[what]}\n")
