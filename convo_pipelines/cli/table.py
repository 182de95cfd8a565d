"""`convo-pipelines table`: how a derived table is refreshed."""

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import TABLES
from convo_pipelines.operations import schema

NAME = click.argument("name", type=click.Choice(list(TABLES)))


@click.group(cls=Group)
def table() -> None:
    """Show the statements that refresh a derived table."""


@table.command()
@NAME
def keys(name: str) -> None:
    """Print the statement that finds the keys that a tick refreshes."""
    _print(name, "keys")


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
