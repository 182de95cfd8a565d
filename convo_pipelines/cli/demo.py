"""`make demo`: the whole pipeline, once, on sample data."""

from datetime import UTC, datetime

import click

from convo_pipelines import extras
from convo_pipelines.cli import home
from convo_pipelines.cli.terminal import console, print_heading, print_table, working, write
from convo_pipelines.database import addresses
from convo_pipelines.database.execution import fetch, fetch_one, identifier
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.sources import sample_data

SHOWN = (
    "summaries_by_channel", "latest_summaries", "latest_sessions", "participants_by_status", "people_in_conversations",
    "clients_conversations", "project_conversations", "project_link_inconsistencies",
)  # fmt: skip


@click.command()
def demo() -> None:
    """Load sample data, backfill through Dagster, tick, run every check, and print the tables that analysts read."""
    home.prepare()
    from convo_pipelines.definitions import defs
    from convo_pipelines.orchestration import runs

    print_heading("1 migrate")
    upgrade.up()
    print_heading("2 sample data")
    with working("loading"):
        try:
            sample_data.load(Warehouse(), sample_data.Sizes(), seed=1, end=datetime.now(UTC).date())
            write("a company of 5 clients, 10 crews and 300 people, over 90 days")
        except sample_data.NotEmptyError as reason:
            write(str(reason))
    print_heading("3 backfill: one Dagster run over all days and tables")
    with Warehouse().connection() as connection:
        first = fetch_one(connection, "cli/demo/first_message")["sent_at"]
    if not runs.materialize(defs, runs.DAILY_ASSETS, first, datetime.now(UTC)):
        raise click.ClickException("the backfill failed; see the log above")
    print_heading("4 a tick, as the schedule launches it")
    write("done" if runs.tick(defs) else "nothing new")
    print_heading("5 every check")
    evaluations = runs.run_checks(defs)
    for evaluation in evaluations:
        verdict, color = ("passed", "green") if evaluation.passed else (evaluation.severity.value, "red")
        write(f"{verdict} {evaluation.asset_key.to_user_string()}: {evaluation.check_name}", color)
    print_heading("6 what analysts read")
    with Warehouse().connection() as connection:
        for name in SHOWN:
            print_table(console, fetch(connection, f"cli/demo/{name}"), title=name.replace("_", " "))
        rows = [
            {"table": table.name, **fetch_one(connection, "cli/demo/rows", {"relation": identifier(table.target)})}
            for table in DERIVED_TABLES
        ]
        print_table(console, rows, title="rows")
    if not extras.is_installed("report"):
        write("a page of charts needs `pip install 'convo_pipelines[report]'`")
    elif runs.materialize(defs, ["activity_report"]):
        write(f"and a page: {addresses.LOCAL / 'reports' / 'activity.html'}")
    if runs.failed(evaluations):
        raise click.ClickException("a check of severity ERROR failed")
