"""`convo-pipelines tick`: all tables, in this process."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from convo_pipelines.cli.terminal import console, print_table, working
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.leases import LEASE_SECONDS
from convo_pipelines.operations import pipeline

CLIENTS = click.option("--client", "clients", multiple=True, help="Only conversations of this client; may be repeated.")
CREWS = click.option("--crew", "crews", multiple=True, help="Only sessions of this crew; may be repeated.")


@click.command()
@CLIENTS
@CREWS
def tick(clients: Sequence[str], crews: Sequence[str]) -> None:
    """Do what the schedules would do now, in this process, and print the counts per table.

    With --client or --crew, the watermarks stay: the schedules' next tick repeats the work. A follower yields to it;
    any other tick that is running is waited for up to a minute. Then its tables are skipped, and the exit status is 1.
    """
    with working("starting") as shown:
        done = pipeline.tick(
            Warehouse(),
            crew_codes=crews,
            client_codes=clients,
            wait_seconds=LEASE_SECONDS + 1,
            progress=shown,
        )
    print_counts(done)
    if skipped := [name for name, outcome in done.tables.items() if outcome.is_skipped]:
        raise click.ClickException(f"another process is running ticks of {', '.join(skipped)}: they were skipped")


def print_counts(done: pipeline.Refreshed) -> None:
    """Print the counts of each table; fail if a crew failed."""
    print_table(
        console,
        [
            {"table": name, **asdict(outcome.counts), "": "skipped: another tick is running" * outcome.is_skipped}
            for name, outcome in done.tables.items()
        ],
    )
    if done.failed_crews:
        raise click.ClickException("these crews failed: " + "; ".join(done.failed_crews))
