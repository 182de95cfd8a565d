"""The `convo-pipelines` command: its groups, in the order in which a newcomer needs them."""

from importlib import import_module
from typing import Any

import click

from convo_pipelines.cli.groups import LazyGroup

SECTIONS = {
    "Set up": {
        "demo": (
            "Load sample data, backfill through Dagster, tick, run every check, "
            "and print the tables that analysts read."
        ),
        "migrate": "Create, check or remove the database schemas.",
        "adopt": "Map your own tables to schema `app` by views, which are captured on the tables beneath.",
        "capture": "Log the changes of tables by triggers, or stop; reconcile reads those that are not captured.",
        "data": "Load data, run psql, compare tables with those of a former job, and correct the arrays of projects.",
        "generate": "Generate the data dictionary, or the schema for Zero.",
    },
    "Refresh": {
        "tick": "Do what the schedules would do now, in this process, and print the counts per table.",
        "refresh": "Materialize ASSET (several: separated by commas) for a window, as one Dagster run.",
        "reconcile": "Compare every derived row with its sources, repair it, and print what was repaired.",
        "verify": "Run every asset check; exit status 1 if one of severity ERROR fails.",
        "table": "Plan and apply tables of one's own; show the statements that refresh a derived table.",
        "lake": "Write the Iceberg tables of the lake, and answer questions from them.",
    },
    "Watch": {
        "status": "Show problems, the state of each crew and each table, and transactions that hold them back.",
        "health": "Print problems, open alerts and the last failed run as JSON; exit status 1 if there are problems.",
        "alerts": "Show open alerts, and past ones; they are kept for a year after their end.",
    },
    "Serve": {
        "serve": "Start what runs until it is stopped: the follower, the webhook, the metrics.",
        "dagster": (
            "Run any `dagster` command with the database URLs in its environment: `dagster dev`, `dagster job …`."
        ),
    },
    "Clients and people": {
        "people": "Show what is known of an identifier, and decide whose it is.",
        "client": "Move a client to another database.",
        "forget": (
            "Permanently delete a session, a crew's or client's sessions, or a person from analytics, archive included."
        ),
    },
}
"""The first sentence of each command's help, so that listing the commands imports none."""


class _Main(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Invoke a command; what shows its errors is imported with it."""
        return import_module(f"{__name__}.running").run(lambda: super(_Main, self).invoke(ctx))


@click.group(cls=_Main, package=__name__, sections=SECTIONS)
def main() -> None:
    """Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster."""
