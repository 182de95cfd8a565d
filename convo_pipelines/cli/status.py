"""`convo-pipelines status`: the state of the pipeline."""

import click

from convo_pipelines.cli.alerts import LISTED, shown
from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database import own_tables
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines.operations import alerts, health, schema


@click.command()
def status() -> None:
    """Show problems, the state of each crew and each table, and transactions that hold them back."""
    warehouse = Warehouse()
    warehouse.ping()
    schema.require(warehouse)
    findings = health.look(warehouse)
    with warehouse.connection() as connection:
        if findings:
            print_table(console, [finding.as_row() for finding in findings], title="problems")
        if others := [alert for alert in alerts.history(connection) if alert["source"] != "health"]:
            print_table(console, [shown(alert, LISTED) for alert in others], title="open alerts on runs and checks")
        if failed := alerts.last_failed_run(connection):
            print_table(console, [shown(failed, failed)], title="last failed run")
        for title in ("crews", "tables"):
            print_table(console, fetch(connection, f"cli/status/{title}"), title=title)
        if edited := own_tables.edited():
            rows = [{"table": name, "run": f"convo-pipelines table apply {name}"} for name in edited]
            print_table(console, rows, title="rows.sql is not what was applied")
        uncaptured = [table for table in capture.status(connection) if table["mode"] != "captured"]
        if uncaptured:
            print_table(console, uncaptured, title="not captured: read by reconcile only")
        if unbound := fetch(connection, "cli/status/foreign_keys"):
            print_table(console, unbound, title="no foreign key: ticks delete what refers to deleted rows")
        if holders := fetch(connection, "cli/status/holders"):
            print_table(console, holders, title="oldest transaction: snapshots and log trimming wait for it")
