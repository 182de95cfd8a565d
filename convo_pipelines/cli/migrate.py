"""`convo-pipelines migrate`: the database schemas."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from convo_pipelines.cli import rehearsal
from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database import migrations


@click.group()
def migrate() -> None:
    """Create, check or remove the database schemas."""


ONLY = click.option(
    "--only",
    type=click.Choice(migrations.LINES),
    help="One line of migrations: in production `analytics`; `roles` are optional.",
)


@migrate.command()
@ONLY
def up(only: migrations.Line | None) -> None:
    """Apply every migration that is missing, the optional roles excepted."""
    migrations.up((only,) if only else migrations.DEFAULT_LINES)
    _print_migrations()


@migrate.command()
@ONLY
@click.option("--yes", is_flag=True, help="Do not ask, whatever depends on it.")
def down(only: migrations.Line | None, yes: bool) -> None:
    """Roll back the newest applied migration; say before what depends on it, and ask."""
    lines: Sequence[migrations.Line] = (only,) if only else migrations.LINES
    tried = rehearsal.rehearse(lines)
    if tried is None:
        console.print("nothing is applied")
        return
    if not tried.is_harmless:
        _confirm(tried, yes=yes)
    console.print(f"rolled back {migrations.down(lines)}")


def _confirm(tried: rehearsal.Rehearsal, *, yes: bool) -> None:
    name = tried.migration.name
    consequences = {
        "it takes away": tried.gone,
        "this version cannot refresh without it": tried.tables,
        "what fails without it": tried.failing,
        "what nothing brings back": tried.lost,
    }
    said = {title: things for title, things in consequences.items() if things}
    if not yes and not sys.stdin.isatty():
        told = "; ".join(f"{title}: {', '.join(things)}" for title, things in said.items() if things is not tried.gone)
        raise click.ClickException(f"{name} is not rolled back: {told}. Say --yes to roll it back all the same")
    click.echo(f"{name} is about to be rolled back.")
    for title, things in said.items():
        click.echo("\n  ".join([f"{title}:", *things]))
    if tried.migration.line != "roles":
        click.echo("this version does nothing until `convo-pipelines migrate up`; the version before it goes on")
    if not yes:
        click.confirm(f"roll back {name}?", abort=True)


@migrate.command()
def status() -> None:
    """Show which migrations are applied."""
    _print_migrations()


@migrate.command()
def validate() -> None:
    """Run validation.sql of every applied migration; exit status 1 if one fails."""
    failures = migrations.validate()
    for failure in failures:
        console.print(f"[red]{failure}[/red]")
    if failures:
        sys.exit(1)
    console.print("every applied migration is valid")


def _print_migrations() -> None:
    print_table(console, [asdict(migration) for migration in migrations.status()])
