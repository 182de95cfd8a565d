"""Commands that show the state of the pipeline."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.warehouse import MissingRightError, Row, Warehouse, fetch
from convo_pipelines.engine import capture, change_log
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.operations import alerts as alerting
from convo_pipelines.operations import health as monitoring

YEAR = 366
LISTED = ("kind", "subject", "since", "ended_at", "found", "remedy")
"""The columns of alerts that fit into a terminal; JSON has all."""


@click.command()
def status() -> None:
    """Show problems, the state of each crew and each table, and transactions that hold them back."""
    warehouse = Warehouse()
    warehouse.ping()
    monitoring.require_schema(warehouse)
    findings = monitoring.look(warehouse)
    with warehouse.connection() as connection:
        if findings:
            print_table(console, [finding.as_row() for finding in findings], title="problems")
        if others := [alert for alert in alerting.history(connection) if alert["source"] != "health"]:
            print_table(console, [_shown(alert, LISTED) for alert in others], title="open alerts on runs and checks")
        if failed := alerting.last_failed_run(connection):
            print_table(console, [_shown(failed, failed)], title="last failed run")
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
    """Print problems, open alerts and the last failed run as JSON; exit status 1 if there are problems."""
    warehouse = Warehouse()
    findings = monitoring.look(warehouse)
    kinds = {finding.kind for finding in findings}
    facts = dict[str, Any]()
    try:
        if not kinds & {monitoring.AWAY, monitoring.SCHEMA}:
            facts = _facts(warehouse)
    except MissingRightError:  # a finding names it
        if monitoring.MISSING_RIGHT not in kinds:
            raise
    write(monitoring.report(findings, **facts))
    if findings:
        sys.exit(1)


@click.command()
@click.option(
    "--days", type=click.IntRange(0, YEAR), default=7, show_default=True, help="Also those that have ended since."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def alerts(days: int, as_json: bool) -> None:
    """Show open alerts, and past ones; they are kept for a year after their end."""
    warehouse = Warehouse()
    monitoring.require_schema(warehouse)
    with warehouse.connection() as connection:
        rows = alerting.history(connection, days)
    if as_json:
        write(json.dumps([_timed(row) for row in rows], indent=2))
    else:
        print_table(console, [_shown(row, LISTED) for row in rows])


def _facts(warehouse: Warehouse) -> dict[str, Any]:
    """Return what health says beside its findings."""
    with warehouse.connection() as connection:
        leases = change_log.in_force(connection, [table.name for table in DERIVED_TABLES])
        failed, disk = alerting.last_failed_run(connection), monitoring.disk_of(connection)
        return {
            "followed_by": change_log.follower_of(leases),
            "open_alerts": [_timed(alert) for alert in alerting.history(connection)],
            "last_failed_run": failed and _timed(failed),
            "disk": disk and asdict(disk),
        }


def _timed(row: Row) -> Mapping[str, Any]:
    return {
        name: cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else cell for name, cell in row.items()
    }


def _shown(row: Row, columns: Iterable[str]) -> Row:
    return {
        name: f"{row[name]:%Y-%m-%d %H:%M:%S}" if isinstance(row[name], datetime) else row[name] for name in columns
    }
