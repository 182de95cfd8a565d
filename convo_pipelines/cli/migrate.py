"""`convo-pipelines migrate`: the database schemas."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from convo_pipelines.cli.adopt import installation
from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.migrations import record, rollback, upgrade, validation
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding, capture, leases
from convo_pipelines.model.tables import REGISTRY


@click.group(cls=Group)
def migrate() -> None:
    """Create, check or remove the database schemas."""


ONLY = click.option(
    "--only",
    type=click.Choice(record.LINES),
    help="One line of migrations: in production `analytics`; `roles` are optional.",
)


@migrate.command()
@ONLY
@click.option(
    "--with-foreign-keys/--without-foreign-keys",
    "has_foreign_keys",
    default=None,
    help="Whether analytics refers to app by foreign keys; as before, if neither is given, and at first with them.",
)
def up(only: record.Line | None, has_foreign_keys: bool | None) -> None:
    """Apply every migration that is missing, except the optional roles; the triggers beneath views are created anew."""
    lines = (only,) if only else record.DEFAULT_LINES
    with leases.followers_paused(Warehouse(), REGISTRY):
        upgrade.up(lines)
        if "analytics" in lines and capture.has_views(Warehouse()):
            installation().install(Warehouse(), None)
    if "analytics" in lines or has_foreign_keys is not None:
        with Warehouse().connection() as connection:
            if has_foreign_keys is None:
                binding.bind_foreign_keys(connection)
            else:
                binding.use_foreign_keys(connection, is_wanted=has_foreign_keys)
    _print_migrations()


@migrate.command()
@ONLY
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(only: record.Line | None, yes: bool) -> None:
    """Roll back the newest applied migration, after a question."""
    lines: Sequence[record.Line] = (only,) if only else record.LINES
    migration = record.newest(lines)
    if migration is None:
        write("nothing is applied")
        return
    lost = rollback.LOST_WITH.get(migration.name)
    if lost:
        write(f"{migration.name} drops all that it created. Lost for good: {lost}.")
    if not yes:
        if lost or not sys.stdin.isatty():
            raise click.ClickException(f"{migration.name} is not rolled back: say --yes to roll it back")
        write("This version does nothing after a rollback until `convo-pipelines migrate up`.")
        click.confirm(f"roll back {migration.name}?", abort=True)
    with leases.followers_paused(Warehouse(), REGISTRY):
        write(f"rolled back {rollback.down(lines)}")


@migrate.command()
def status() -> None:
    """Show which migrations are applied."""
    _print_migrations()


@migrate.command()
def validate() -> None:
    """Compare the database with what the applied migrations define; exit status 1 if something differs."""
    failures = list(validation.validate())
    for failure in failures:
        write(failure, "red")
    if failures:
        sys.exit(1)
    write("the database is what its migrations define")


def _print_migrations() -> None:
    print_table(console, [asdict(migration) for migration in record.status()])
