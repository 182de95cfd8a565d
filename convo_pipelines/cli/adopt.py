"""`convo-pipelines adopt`: schema `app` as views over the owner's tables."""

from collections.abc import Sequence
from pathlib import Path

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, write, write_document
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.sources import proposal


class KeysError(ConvoPipelinesError):
    """Rows of a view have no key, or that of another row; they cannot be refreshed."""


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
        {**vars(view), "seconds": round(view.seconds), "missing_indexes": len(view.missing_indexes)} for view in checked
    ]
    print_table(console, rows)
    for statement in dict.fromkeys(statement for view in checked for statement in view.missing_indexes):
        write(f"{statement};")
    write(f"about {sum(view.seconds for view in checked):.0f} s for the first build")
    lines = [number for number, line in enumerate(file.read_text().splitlines(), 1) if "TODO" in line]
    if lines:
        write(f"{len(lines)} TODOs are left: lines {', '.join(map(str, lines))}")
    if wrong := [view for view in checked if view.null_keys or view.double_keys]:
        raise KeysError(
            "; ".join(
                f"app.{view.source}: {view.null_keys} rows have no key, {view.double_keys} that of another row"
                for view in wrong
            )
        )


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


def installation():
    """Return the module that installs views."""
    from convo_pipelines.sources.adoption import installation  # imports PostgreSQL's parser, which takes half a second

    return installation


def _print(adopted: Sequence[object]) -> None:
    print_table(console, [vars(view) for view in adopted])
