"""`convo-pipelines adopt`: schema `app` as views over the owner's tables."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, write, write_document
from convo_pipelines.cli.tick import print_counts
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.leases import LEASE_SECONDS
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.operations import pipeline
from convo_pipelines.sources import proposal


class ViewsError(ConvoPipelinesError):
    """The pipeline would read nothing useful from the views of a file; the message says of which, and why."""


@click.group(cls=Group, invoke_without_command=True)
@click.option("--schema", default="public", show_default=True, help="The schema of your tables.")
@click.option(
    "--check",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Create the views of a file in a transaction that is rolled back, and say how they would be read.",
)
@click.pass_context
def adopt(context: click.Context, schema: str, file: Path | None) -> None:
    """Map your own tables to schema `app` by views, which are captured on the tables beneath.

    Without a command, print a file of views for the tables of a schema, for you to complete; nothing is written.
    """
    if context.invoked_subcommand is None:
        if file:
            _check(file)
        else:
            write_document(proposal.propose(Warehouse(), schema))


def _check(file: Path) -> None:
    from convo_pipelines.sources.adoption import dry_run

    checked = dry_run.check(Warehouse(), file)
    rows = [
        {**vars(view), "seconds": round(view.seconds), "missing_indexes": len(view.missing_indexes)}
        for view in checked.sources
    ]
    print_table(console, rows)
    for statement in dict.fromkeys(statement for view in checked.sources for statement in view.missing_indexes):
        write(f"{statement};")
    write(f"about {sum(view.seconds for view in checked.sources):.0f} s for the first build")
    lines = [number for number, line in enumerate(file.read_text().splitlines(), 1) if "TODO" in line]
    todos = [f"TODOs are left in lines {', '.join(map(str, lines))}"] if lines else []
    if failures := [*checked.failures, *todos]:
        raise ViewsError("; ".join(failures))


@adopt.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def install(file: Path | None) -> None:
    """Create the views of FILE, and what is missing of `analytics`; without FILE, check the existing views again."""
    _print(installation().install(Warehouse(), file))


@adopt.command()
def release() -> None:
    """Drop the views, so that the tables beneath can be altered; `restore` makes them again."""
    write(f"dropped: {', '.join(installation().release(Warehouse()))}")


@adopt.command()
def restore() -> None:
    """Make the views again that `release` dropped, with the rights on them."""
    _print(installation().restore(Warehouse()))


@adopt.command()
@click.option(
    "--table",
    "tables",
    multiple=True,
    help="Such as public.n8n_chat_histories; may be repeated. By default, all found.",
)
@click.option("--client", default="", help="The code of the agents' client.  [default: main]")
@click.option("--agent", default="", help="The agent that writes the table.  [default: the table's name]")
@click.option(
    "--agents-by",
    default="",
    help="What tells agents apart: a column, or a regular expression for the session id with a group for the agent.",
)
@click.option("--clients-by", default="", help="What tells clients apart, likewise.")
@click.option(
    "--add-created-at", is_flag=True, help="Allow a new column in tables that do not say when a message was written."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def n8n(
    tables: Sequence[str],
    client: str,
    agent: str,
    agents_by: str,
    clients_by: str,
    add_created_at: bool,
    yes: bool,
) -> None:
    """Make crews of the agents that write n8n's chat memory, and of those of LangChain, Flowise and Dify.

    Each agent gets a crew in app.crews, and a view of its rows, which is captured. The statements are printed first. At
    a terminal, you are asked whether to run them; elsewhere, they are run with --yes only. A tick follows.
    """
    from convo_pipelines.sources import chats  # imports PostgreSQL's parser

    warehouse = Warehouse()
    options = chats.Options(client, agent, agents_by, clients_by, add_created_at)
    planned = chats.plan(warehouse, tables, options)
    print_table(console, [vars(agent) for agent in planned.agents])
    for statement in planned.statements or ["-- there is nothing to create"]:
        write(statement)
    if not yes:
        if not sys.stdin.isatty():
            write("Nothing was changed: say --yes to run these statements, and a tick")
            return
        click.confirm("Run these statements, and a tick?", abort=True)
    for view in chats.adopt(warehouse, planned):
        if view.remark:
            write(f"app.{view.table_name} is not captured, so only reconcile reads it: {view.remark}", "yellow")
    print_counts(pipeline.tick(warehouse, wait_seconds=LEASE_SECONDS + 1))
    crews, unmatched = chats.outcome(warehouse, planned)
    print_table(console, crews)
    if left_out := sum(crew["left_out"] for crew in crews):
        write(f"messages that are left out, most likely because they have no time: {left_out} (analytics.oddities)")
    if unmatched:
        write(f"sessions that no crew has: {unmatched} (analytics.unmatched_sessions)")


def installation():
    """Return the module that installs views."""
    from convo_pipelines.sources.adoption import installation  # imports PostgreSQL's parser, which takes half a second

    return installation


def _print(adopted: Sequence[object]) -> None:
    print_table(console, [vars(view) for view in adopted])
