"""Ticks of all tables in one process, without Dagster: one after the other, or each minute as cron would start them.

python -m benchmarks.tick_loop --every 60
"""

import time

import click
import psycopg

from benchmarks.measure import console
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.operations import pipeline

PAUSE_SECONDS = 0.05


@click.command()
@click.option("--every", type=float, default=0, help="Seconds from the start of a tick to that of the next.")
def main(every: float) -> None:
    """Tick until this process is ended."""
    warehouse = Warehouse()
    while True:
        due = time.monotonic() + every
        try:
            pipeline.tick(warehouse)
        except (ConvoPipelinesError, psycopg.Error) as error:
            console.print(error)
        time.sleep(max(PAUSE_SECONDS, due - time.monotonic()))


if __name__ == "__main__":
    main()
