"""`convo-pipelines lake`: the Iceberg tables of the lake, and questions to them."""

import os
from datetime import datetime
from typing import Any, cast

import click

from convo_pipelines import extras
from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, working
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import Query, following
from convo_pipelines.operations import schema

SHOWN = 50
"""Of an answer's rows; `--output` has all."""


@click.group(cls=Group)
def lake() -> None:
    """Write the Iceberg tables of the lake, and answer questions from them."""


@lake.command()
@click.option("--repair", is_flag=True, help="Compare every day with the lake's, too, and write those that differ.")
@click.option("--anew", is_flag=True, help="Drop the tables before: a restored catalog may name files that are gone.")
@click.option("--take-over", is_flag=True, help="Own the tables: the catalog's database was upgraded or restored.")
@click.option("--remove-cell", help="Delete at once what a cell has there that is gone, or has another name now.")
@click.option("--clean", is_flag=True, help="Delete old snapshots and files, too, as the job lake_upkeep does.")
@click.option("--purge", is_flag=True, help="Delete at once all that the current snapshots do not have.")
def write(repair: bool, anew: bool, take_over: bool, remove_cell: str | None, clean: bool, purge: bool) -> None:
    """Write the days that have changed into the lake; at first, all of them."""
    extras.require("lake")
    from convo_pipelines.lake import comparison, refresh, store, upkeep
    from convo_pipelines.lake.tables import LAKE_TABLES

    warehouse = Warehouse()
    schema.require(warehouse)
    rows = list[dict[str, object]]()
    for table in LAKE_TABLES:
        with working(table.name):
            if anew:
                store.drop(table.name)
            if take_over:
                store.take_over(table.name)
            if remove_cell:
                refresh.remove_cell(table, remove_cell)
            written = refresh.tick(warehouse, table)
            row: dict[str, object] = {
                "table": table.name,
                "days": len(written.days),
                "rows": written.rows,
                "ms": written.milliseconds,
            }
            if repair:
                row["repaired"] = len(comparison.repair(warehouse, table))
            if clean or purge:
                done = (upkeep.purge if purge else upkeep.clean)(table.name)
                row |= {"snapshots expired": done.snapshots, "files deleted": done.files}
            rows.append(row)
    print_table(console, rows)


@lake.command()
def unfollow() -> None:
    """End the lake: log no more for it, and keep no logs for it. What it has stays there until you delete it.

    The next `lake write` follows again, and writes all days.
    """
    warehouse = Warehouse()
    schema.require(warehouse)
    following.end(warehouse)


@lake.command("query")
@click.argument("query", type=click.Choice(Query))
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="The first UTC day.  [default: all]")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="The UTC day after the last.  [default: all]")
@click.option("--output", help="A Parquet file for the answer, such as s3://lake/answers/first_responses.parquet.")
def answer(query: Query, start: datetime | None, end: datetime | None, output: str | None) -> None:
    """Answer a question about all cells from the lake, on all cores; with DAFT_RUNNER=ray, on that cluster.

    The job lake_query runs this command, and shows what it prints.
    """
    extras.require("cluster")
    if start and end and start >= end:
        raise click.BadParameter("it must be after --start", param_hint="--end")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    import dagster_pipes

    from convo_pipelines.lake import queries

    days = queries.Days(start and start.date(), end and end.date())
    found = queries.answer(query, days, output)
    rows = found.limit(SHOWN).to_pylist()
    if dagster_pipes.DAGSTER_PIPES_CONTEXT_ENV_VAR in os.environ:
        with cast("Any", dagster_pipes).open_dagster_pipes() as pipes:
            pipes.report_custom_message({"rows": len(found), "first": rows})
    print_table(console, rows, title=f"{query}: {min(len(found), SHOWN)} of {len(found)} rows")
