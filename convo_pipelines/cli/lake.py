"""`convo-pipelines lake`: the Iceberg tables of the lake."""

import click

from convo_pipelines import lake as installed
from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import health


@click.command()
@click.option("--repair", is_flag=True, help="Compare every day with the lake's, too, and write those that differ.")
@click.option("--anew", is_flag=True, help="Drop the tables before: a restored catalog may name files that are gone.")
@click.option("--clean", is_flag=True, help="Delete old snapshots and files, too, as the job lake_upkeep does.")
def lake(repair: bool, clean: bool, anew: bool) -> None:
    """Write the days that have changed into the lake; at first, all of them."""
    installed.require_installed()
    from convo_pipelines.lake import comparison, refresh, store, upkeep
    from convo_pipelines.lake.tables import LAKE_TABLES

    warehouse = Warehouse()
    health.require_schema(warehouse)
    rows = list[dict[str, object]]()
    for table in LAKE_TABLES:
        with console.status(table.name):
            if anew:
                store.drop(table.name)
            written = refresh.tick(warehouse, table)
            row: dict[str, object] = {
                "table": table.name,
                "days": len(written.days),
                "rows": written.rows,
                "ms": written.milliseconds,
            }
            if repair:
                row["repaired"] = len(comparison.repair(warehouse, table))
            if clean:
                done = upkeep.clean(table.name)
                row |= {"snapshots expired": done.snapshots, "files deleted": done.files}
            rows.append(row)
    print_table(console, rows)
