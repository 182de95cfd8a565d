"""`convo-pipelines alerts`: open and past alerts."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click

from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.connections import Row
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import alerts as alerting
from convo_pipelines.operations import schema
from convo_pipelines.settings import settings

YEAR = 366
LISTED = ("kind", "subject", "since", "ended_at", "found", "remedy")
"""The columns of alerts that fit into a terminal; JSON has all."""


@click.command()
@click.argument("action", required=False, type=click.Choice(["test"]))
@click.option(
    "--days", type=click.IntRange(0, YEAR), default=7, show_default=True, help="Also those that have ended since."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def alerts(action: str | None, days: int, as_json: bool) -> None:
    """Show open alerts, and past ones; they are kept for a year after their end.

    `alerts test` sends a notification to each receiver of ALERT_URLS instead; exit status 1 if one did not take it.
    """
    if action == "test":
        _test(settings().alert_urls.split())
        return
    warehouse = Warehouse()
    schema.require(warehouse)
    with warehouse.connection() as connection:
        rows = alerting.history(connection, days)
    if as_json:
        write(json.dumps([timed(row) for row in rows], indent=2))
    else:
        print_table(console, [shown(row, LISTED) for row in rows])


def _test(urls: list[str]) -> None:
    if not urls:
        raise click.ClickException("ALERT_URLS is not set: nobody is notified of problems")
    title, body = "convo_pipelines: a test", "This is a test of ALERT_URLS. If you read it, alerts reach you."
    failed = [number for number, url in enumerate(urls, 1) if alerting.send([url], title, body)]
    for number in failed:
        write(f"receiver {number} of {len(urls)} did not take it: its URL is wrong, or it cannot be reached", "yellow")
    write(f"{len(urls) - len(failed)} of {len(urls)} receivers took it")
    if failed:
        raise click.exceptions.Exit(1)


def timed(row: Row) -> Mapping[str, Any]:
    """Return an alert or run for JSON."""
    return {
        name: cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else cell for name, cell in row.items()
    }


def shown(row: Row, columns: Iterable[str]) -> Row:
    """Return columns of an alert or run for a terminal."""
    return {
        name: f"{row[name]:%Y-%m-%d %H:%M:%S}" if isinstance(row[name], datetime) else row[name] for name in columns
    }
