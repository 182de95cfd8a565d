"""`convo-pipelines reconcile`: every derived row compared with its sources."""

import logging
from dataclasses import asdict

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model import reconcile as reconciliation
from convo_pipelines.operations import pipeline, schema


class _Rate(ProgressColumn):
    """Keys per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@click.command()
def reconcile() -> None:
    """Compare every derived row with its sources, repair it, and print what was repaired."""
    warehouse = Warehouse()
    schema.require(warehouse)
    logging.getLogger(reconciliation.__name__).setLevel(logging.INFO)
    columns = (TextColumn("keys"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("keys", total=reconciliation.size(warehouse))
        result = pipeline.reconcile(warehouse, progress=lambda keys: progress.advance(task, keys))
    print_table(
        console,
        [
            {"table": name, **asdict(outcome.counts), "of which drift": outcome.drift.changed}
            for name, outcome in result.tables.items()
        ],
    )
    links = result.links
    figures: dict[str, int] = {
        "rows of drift": result.drift.changed,
        "links created": links.inserted,
        "links kept": links.unchanged + links.updated,
        "links removed": links.deleted,
        **{name.replace("_", " "): count for name, count in result.totals.items()},
    }
    for name, figure in figures.items():
        write(f"{figure:>12,} {name}")
    if result.failed_crews:
        raise click.ClickException("these crews could not be compared: " + "; ".join(result.failed_crews))
