"""`convo-pipelines client`: what moves with a client to another database."""

from pathlib import Path

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import moves, schema


@click.group(cls=Group)
def client() -> None:
    """Move a client to another database."""


@client.command("export")
@click.argument("code")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_client(code: str, file: Path) -> None:
    """Write into FILE what cannot be computed again of the client CODE: archive, decisions, additions to projects."""
    warehouse = Warehouse()
    schema.require(warehouse)
    write(f"{moves.export_client(warehouse, code, file):,} rows in {file}")


@client.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_client(file: Path) -> None:
    """Add what `export` wrote to this database, after the application's rows and before their first tick."""
    warehouse = Warehouse()
    schema.require(warehouse)
    print_table(console, [moves.import_client(warehouse, file)])
