"""`convo-pipelines table`: how a derived table is refreshed; tables of one's own."""

from typing import TYPE_CHECKING

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.database.statements import statement
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import TABLES
from convo_pipelines.operations import schema

if TYPE_CHECKING:
    from convo_pipelines.authoring.application import Step

NAME = click.argument("name", type=click.Choice(list(TABLES)))


@click.group(cls=Group)
def table() -> None:
    """Plan and apply tables of one's own; show the statements that refresh a derived table."""


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


NAMES = click.argument("names", nargs=-1)
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@table.command()
@NAMES
def plan(names: tuple[str, ...]) -> None:
    """Print what applying the tables of CONVO_TABLES, or some of them, changes in the database."""
    from convo_pipelines.authoring import application  # imports PostgreSQL's parser, which takes half a second

    for one in application.declared(names):
        _print_step(application.plan(Warehouse(), one))


@table.command()
@NAMES
@YES
def apply(names: tuple[str, ...], yes: bool) -> None:
    """Create the tables of CONVO_TABLES, or some of them, or change them as their `rows.sql` says.

    Processes that refresh a table that changes have to be restarted.
    """
    from convo_pipelines.authoring import application

    warehouse = Warehouse()
    for one in application.declared(names):
        step = application.plan(warehouse, one)
        _print_step(step)
        if step.is_change and (yes or click.confirm(f"Apply {one.name}?", abort=True)):
            application.apply(warehouse, step)
            click.echo(f"{one.name} is applied; the next tick computes its rows")


@table.command()
@click.argument("name")
@click.option("--seconds", type=click.FloatRange(1), default=30.0, show_default=True, help="How long to try.")
@click.option("--seed", type=int, default=None, help="Of the random numbers; by default another one each time.")
def check(name: str, seconds: float, seed: int | None) -> None:
    """Try whether a table stays what its SELECT says, with random changes on a scratch server.

    That gets the schema of the database and some of its rows; the database is only read.
    """
    from convo_pipelines.authoring import proof

    found = proof.check(Warehouse(), name, seconds, seed)
    click.echo(str(found))
    if found.failure:
        raise SystemExit(1)


@table.command()
@click.argument("name")
@YES
def remove(name: str, yes: bool) -> None:
    """Drop a table of one's own, with its rows and its log. Its `rows.sql` stays."""
    from convo_pipelines.authoring import application

    if yes or click.confirm(f"Drop analytics.{name} and all of its rows?", abort=True):
        application.remove(Warehouse(), name)
        click.echo(f"analytics.{name} is dropped")


def _print_step(step: "Step") -> None:
    click.echo(f"-- {step.compiled.declared.name}: {step.summary}")
    for statement_of in step.statements:
        click.echo(f"{statement_of};\n")
