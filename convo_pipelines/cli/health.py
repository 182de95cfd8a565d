"""`convo-pipelines health`: problems as JSON, for probes."""

import sys
from dataclasses import asdict
from typing import Any

import click

from convo_pipelines.cli.alerts import timed
from convo_pipelines.cli.terminal import write
from convo_pipelines.database.rights import MissingRightError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import leases
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import alerts
from convo_pipelines.operations import health as monitoring


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


def _facts(warehouse: Warehouse) -> dict[str, Any]:
    """Return what health says beside its findings."""
    with warehouse.connection() as connection:
        in_force = leases.in_force(connection, [table.name for table in DERIVED_TABLES])
        failed, disk = alerts.last_failed_run(connection), monitoring.disk_of(connection)
        return {
            "followed_by": leases.follower_of(in_force),
            "open_alerts": [timed(alert) for alert in alerts.history(connection)],
            "last_failed_run": failed and timed(failed),
            "disk": disk and asdict(disk),
        }
