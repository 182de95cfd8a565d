"""`convo-pipelines generate`: what describes the tables."""

from pathlib import Path

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import write, write_document
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.serving import zero_schema as zero


@click.group(cls=Group)
def generate() -> None:
    """Generate the data dictionary, or the schema for Zero."""


@generate.command()
def data_dictionary() -> None:
    """Print the data dictionary of `analytics` as Markdown, from the catalog's comments."""
    with Warehouse().connection() as connection:
        for row in fetch(connection, "cli/data_dictionary"):
            write_document(f"{row['line']}\n")


@generate.command()
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="[default: stdout]")
@click.option(
    "--publication",
    metavar="NAME",
    help="The publication that zero-cache replicates. [default: all tables of app, and the link tables]",
)
def zero_schema(output: Path | None, publication: str | None) -> None:
    """Write a schema for @rocicorp/zero from the live catalog: app's tables, the link tables, and relationships."""
    with Warehouse().connection() as connection:
        text = zero.generate(connection, publication)
    if output is None:
        write_document(text)
    else:
        output.write_text(text, encoding="utf-8")
        write(f"{output} written")
