"""Commands that show the state of the pipeline."""

import sys

import click

from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database.warehouse import Warehouse, fetch
from convo_pipelines.engine import capture
from convo_pipelines.operations import health as monitoring


@click.command()
def status() -> None:
    """Show the state of each crew, the progress and backlog of each table, and transactions that hold them back."""
    warehouse = Warehouse()
    monitoring.require_schema(warehouse)
    with warehouse.connection() as connection:
        for title in ("crews", "tables"):
            print_table(console, fetch(connection, f"cli/status/{title}"), title=title)
        by_window = [table for table in capture.status(connection) if table["mode"] != "captured"]
        if by_window:
            print_table(console, by_window, title="not captured: refreshed by window")
        if unbound := fetch(connection, "cli/status/foreign_keys"):
            print_table(console, unbound, title="no foreign key: ticks delete what refers to deleted rows")
        if holders := fetch(connection, "cli/status/holders"):
            print_table(console, holders, title="oldest transaction: snapshots and log trimming wait for it")


@click.command()
def health() -> None:
    """Print problems as JSON; exit status 1 if there are any."""
    findings = monitoring.look(Warehouse())
    click.echo(monitoring.report(findings))
    if findings:
        sys.exit(1)
