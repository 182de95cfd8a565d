"""The `convo-pipelines` command: what the make targets call."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from convo_pipelines import (
    capture,
    databases,
    decisions,
    forget,
    health,
    migrations,
    projects,
    ticks,
    zero_schema,
)
from convo_pipelines.capture import CaptureError
from convo_pipelines.changes import ChangesError
from convo_pipelines.crews import CrewError, narrow
from convo_pipelines.registry import DERIVED_TABLES
from convo_pipelines.settings import SettingsError, settings
from convo_pipelines.sources import histories, sample_data
from convo_pipelines.terminal import print_table
from convo_pipelines.warehouse import TableLockedError, Warehouse, fetch

SHOWN_DIFFERENCES = 20
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)
EXPLAINED = (
    SettingsError,
    CrewError,
    CaptureError,
    ChangesError,
    decisions.DecisionError,
    TableLockedError,
    forget.StillThereError,
    health.SchemaError,
    projects.NotAllowedError,
    migrations.MigrationError,
    migrations.RollbackError,
    sample_data.NotEmptyError,
    zero_schema.PublicationError,
    psycopg.Error,
    OSError,
    UnicodeError,
)


class _Group(click.Group):
    """Turns the errors that explain themselves into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPLAINED as error:
            raise click.ClickException(str(_schema_error(error) or error)) from None
        except DBAPIError as error:
            raise click.ClickException(str(error.orig)) from None


def _schema_error(error: Exception) -> health.SchemaError | None:
    """Return what is missing, if the server refused a statement because it is old."""
    if not isinstance(error, psycopg.ProgrammingError) or not error.sqlstate:
        return None
    return health.schema_error(Warehouse().url)


@click.group(cls=_Group)
def main() -> None:
    """Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console)])


@main.group()
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
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(only: migrations.Line | None, yes: bool) -> None:
    """Roll back the newest applied migration, after a question."""
    lines: Sequence[migrations.Line] = (only,) if only else migrations.LINES
    migration = migrations.newest(lines)
    if migration is None:
        console.print("nothing is applied")
        return
    lost = migrations.LOST_WITH.get(migration.name)
    if lost:
        click.echo(f"{migration.name} drops all that it created. Lost for good: {lost}.")
    if not yes:
        if lost or not sys.stdin.isatty():
            raise click.ClickException(f"{migration.name} is not rolled back: say --yes to roll it back")
        click.echo("This version does nothing after a rollback until `convo-pipelines migrate up`.")
        click.confirm(f"roll back {migration.name}?", abort=True)
    console.print(f"rolled back {migrations.down(lines)}")


@migrate.command()
def status() -> None:
    """Show which migrations are applied."""
    _print_migrations()


@migrate.command()
def validate() -> None:
    """Compare the database with what the applied migrations define; exit status 1 if something differs."""
    failures = list(migrations.validate())
    for failure in failures:
        console.print(f"[red]{failure}[/red]")
    if failures:
        sys.exit(1)
    console.print("the database is what its migrations define")


def _print_migrations() -> None:
    print_table(console, [asdict(migration) for migration in migrations.status()])


SIZES = sample_data.Sizes()
FIRST_END, LAST_END = date(1971, 1, 1), date(2999, 12, 31)


def _size(name: str, text: str, *, least: int = 0) -> Callable[[Callable[..., None]], Callable[..., None]]:
    default = getattr(SIZES, name)
    return click.option(f"--{name}", type=click.IntRange(least), default=default, show_default=True, help=text)


@main.command("sample-data")
@_size("clients", "Tenants.", least=1)
@_size("crews", "Groups of agents, each with its histories table.")
@_size("sessions", "Crews' sessions, about 10 messages each.")
@_size("conversations", "E-mail and chat, 6 messages each.")
@_size("people", "Persons that the CRM knows.")
@_size("projects", "Each with an array of conversations.")
@_size("days", "Days of history.", least=1)
@click.option("--seed", default=1, show_default=True, help="The same seed and end give the same rows.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="The UTC day it all ends before.  [default: today]")
@click.option("--if-empty", is_flag=True, help="Do nothing, without an error, if there is data already.")
def sample_data_command(seed: int, end: datetime | None, if_empty: bool, **sizes: int) -> None:
    """Fill an empty database with a generated company."""
    last = end.date() if end else datetime.now(UTC).date()
    if not FIRST_END <= last <= LAST_END:
        raise click.BadParameter(f"{last} does not lie between {FIRST_END} and {LAST_END}", param_hint="--end")
    with _progress() as progress:
        task = progress.add_task("loading", total=None)

        def show(table: str, rows: int) -> None:
            progress.console.print(f"{rows:>10,} rows in app.{table}")
            progress.advance(task, rows)

        try:
            sample_data.load(Warehouse(), sample_data.Sizes(**sizes), seed, last, show)
        except sample_data.NotEmptyError as reason:
            if not if_empty:
                raise
            console.print(str(reason))


@main.command("import-histories")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--crew", required=True, help="Code of the crew whose histories table takes the rows.")
def import_histories(file: Path, crew: str) -> None:
    """Load an n8n export (CSV with session_id, message, created_at) into a crew's histories table.

    A row that cannot be read is reported with its line number; the others load.
    """
    with _progress() as progress:
        task = progress.add_task("importing", total=None)
        try:
            result = histories.import_csv(Warehouse(), file, crew, lambda rows: progress.advance(task, rows))
        except UnicodeDecodeError:
            raise click.ClickException(f"{file} is not encoded in UTF-8: convert it") from None
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    for line, reason in result.rejected:
        console.print(f"[yellow]line {line}: {reason}[/yellow]")
    console.print(f"{result.loaded:,} rows loaded, {len(result.rejected):,} rejected")


@main.command()
@click.argument("asset")
@click.option("--start", type=click.DateTime(), help="UTC; widened to whole days.  [default: the first partition]")
@click.option("--end", type=click.DateTime(), help="UTC, exclusive; widened to whole days.  [default: now]")
@click.option("--client", "clients", multiple=True, help="Only conversations of this client; may be repeated.")
@click.option("--crew", "crews", multiple=True, help="Only sessions of this crew; may be repeated.")
def refresh(
    asset: str, start: datetime | None, end: datetime | None, clients: Sequence[str], crews: Sequence[str]
) -> None:
    """Materialize ASSET (several: separated by commas) for a window, as one run."""
    databases.export_environment()
    from convo_pipelines import operations

    try:
        succeeded = operations.materialize(asset.split(","), start, end, crews, clients)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if not succeeded:
        raise click.ClickException("the run failed; the log above says why")


@main.command("tick")
@click.option("--client", "clients", multiple=True, help="Only conversations of this client; may be repeated.")
@click.option("--crew", "codes", multiple=True, help="Only sessions of this crew; may be repeated.")
def tick_command(clients: Sequence[str], codes: Sequence[str]) -> None:
    """Do what the schedules would do now, in this process, and print the counts per table.

    Narrowed, the schedules' next tick does it again.
    """
    warehouse = Warehouse()
    health.require_schema(warehouse)
    narrowing = narrow(warehouse, codes, clients)
    log = logging.getLogger(ticks.__name__)
    rows: list[dict[str, object]] = []
    failures: list[str] = []
    for table in DERIVED_TABLES:
        with console.status(table.name):
            outcome, results = ticks.tick(warehouse, table, log, narrowing)
        rows.append(
            {"table": table.name, **asdict(outcome.counts), "": "at work elsewhere" if outcome.is_skipped else ""}
        )
        failures += [f"{result.crew.code}: {result.error}" for result in results if result.error]
    print_table(console, rows)
    if failures:
        raise click.ClickException("these crews failed: " + "; ".join(failures))


@main.group("capture")
def capture_group() -> None:
    """Log the changes of tables by triggers, or stop; without it they are refreshed by window."""


@capture_group.command("on")
@click.argument("tables", nargs=-1)
def capture_on(tables: Sequence[str]) -> None:
    """Capture TABLES of app, by default all that are read."""
    capture.switch(Warehouse(), tables, on=True)
    _print_capture()


@capture_group.command("off")
@click.argument("tables", nargs=-1)
def capture_off(tables: Sequence[str]) -> None:
    """Take the triggers off TABLES of app, by default all that are read, one by one."""
    capture.switch(Warehouse(), tables, on=False)
    _print_capture()


@capture_group.command("status")
@click.argument("table", required=False)
def capture_status(table: str | None) -> None:
    """Show which tables are captured, and why others are not."""
    _print_capture(table)


def _print_capture(table: str | None = None) -> None:
    with Warehouse().connection() as connection:
        print_table(console, capture.status(connection, table and table.removeprefix("app.")))


@main.command("forget")
@click.option("--session", help="This session of the crew.")
@click.option("--crew", help="The crew's code; without --session, all of its sessions.")
@click.option("--client", help="The client's code: all sessions of all of its crews, active or not.")
@click.option("--person", type=click.UUID, help="Id of a person.")
def forget_command(session: str | None, crew: str | None, client: str | None, person: UUID | None) -> None:
    """Remove a session, a crew's or client's sessions or a person's traces from analytics for good, archive included.

    What the application still has is not removed: delete it there first. One that was interrupted can be run again.
    """
    if [crew, client, person].count(None) != 2 or (session and not crew):
        raise click.UsageError("give --crew, --crew with --session, --client, or --person")
    warehouse = Warehouse()
    health.require_schema(warehouse)
    if person:
        removed = forget.person(warehouse, person)
    elif client:
        removed = forget.client(warehouse, client)
    else:
        removed = forget.sessions(warehouse, str(crew), session)
    print_table(console, [removed])


BY = click.option("--by", envvar="USER", required=True, help="Who decides.  [default: $USER]")
REASON = click.option("--reason", required=True, help="Why; it is kept with the decision.")


@main.command("link")
@click.argument("contact")
@click.argument("person", type=click.UUID)
@REASON
@BY
def link_command(contact: str, person: UUID, reason: str, by: str) -> None:
    """Decide that CONTACT (an address in any spelling, or an id) is PERSON's (an id), whatever else matches."""
    _decide(contact, person, "link", reason, by)


@main.command("unlink")
@click.argument("contact")
@click.argument("person", type=click.UUID)
@REASON
@BY
def unlink_command(contact: str, person: UUID, reason: str, by: str) -> None:
    """Decide that CONTACT (an address in any spelling, or an id) is never PERSON's (an id), though it match."""
    _decide(contact, person, "never", reason, by)


def _decide(contact: str, person: UUID, decision: decisions.Decision, reason: str, by: str) -> None:
    warehouse = Warehouse()
    health.require_schema(warehouse)
    decided = decisions.decide(warehouse, contact, person, decision, reason, by)
    print_table(console, decisions.list_of(warehouse, [row["id"] for row in decided]))
    if given := [row["value"] for row in decided if row["is_given"]]:
        console.print(f"the application says whose {', '.join(given)} is; that counts, as long as it does")
    console.print("in force from the next tick on; `convo-pipelines decisions --revoke ID` takes it back")


@main.command("decisions")
@click.option("--all", "is_all", is_flag=True, help="Revoked ones, too.")
@click.option("--revoke", type=click.UUID, metavar="ID", help="Take this one back first.")
@click.option("--by", envvar="USER", help="Who takes it back.  [default: $USER]")
def decisions_command(is_all: bool, revoke: UUID | None, by: str | None) -> None:
    """Show the decisions in force on whose contact methods are."""
    warehouse = Warehouse()
    health.require_schema(warehouse)
    if revoke:
        if by is None:
            raise click.UsageError("say --by whom it is taken back")
        decisions.revoke(warehouse, revoke, by)
    print_table(console, decisions.list_of(warehouse, is_all=is_all))


@main.command("project-arrays")
@click.option("--write", is_flag=True, help="Rewrite the arrays that differ; needs the right to update app.projects.")
def project_arrays(write: bool) -> None:
    """Show where app.projects.conversation_ids, which is deprecated, differs from what conversations say.

    Conversations are right: each names its project in project_id. Arrays that others have locked are skipped.
    """
    warehouse = Warehouse()
    with warehouse.connection() as connection:
        if not projects.have_arrays(connection):
            console.print(projects.NO_ARRAYS)
            return
        with console.status("comparing"):
            found = projects.differences(connection)
    if not found:
        console.print("every array is right")
        return
    print_table(console, found[:SHOWN_DIFFERENCES])
    ids: Counter[str] = Counter()
    for row in found:
        ids[row["kind"]] += row["ids"]
    names = list(dict.fromkeys(row["project_id"] for row in found))
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(ids.items()))
    console.print(f"{len(names):,} projects whose arrays differ: {kinds}")
    if not write:
        return
    with Progress(TextColumn("projects"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        task = progress.add_task("projects", total=len(names))
        done = projects.rewrite(warehouse, names, lambda count: progress.advance(task, count))
    print_table(console, [asdict(done)])
    if done.skipped:
        console.print(f"{done.skipped:,} projects were locked by somebody: run it again")


class _Rate(ProgressColumn):
    """Keys per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@main.command("reconcile")
def reconcile_command() -> None:
    """Compare everything with a computation from scratch, repair it, and say what had to be repaired."""
    from convo_pipelines import reconcile

    warehouse = Warehouse()
    health.require_schema(warehouse)
    log = logging.getLogger(reconcile.__name__)
    log.setLevel(logging.INFO)
    columns = (TextColumn("keys"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("keys", total=reconcile.size(warehouse))
        result = reconcile.run(warehouse, log, lambda keys: progress.advance(task, keys))
    print_table(
        console,
        [
            {"table": name, **asdict(outcome.counts), "of that, drift": outcome.drift.changed}
            for name, outcome in result.tables.items()
        ],
    )
    links = result.links
    figures: dict[str, int] = {
        "rows of drift": result.drift.changed,
        "links created": links.inserted,
        "links kept": links.unchanged + links.updated,
        "links removed": links.deleted,
        **{name.replace("_", " "): count for name, count in result.totals.items()},
    }
    for name, figure in figures.items():
        console.print(f"{figure:>12,} {name}")
    if result.failed_crews:
        raise click.ClickException("these crews could not be compared: " + "; ".join(result.failed_crews))


@main.command()
def verify() -> None:
    """Run every asset check; exit status 1 if one of severity ERROR fails."""
    health.require_schema(Warehouse())
    databases.export_environment()
    from convo_pipelines import operations

    evaluations = operations.run_checks()
    print_table(
        console,
        [
            {
                "asset": evaluation.asset_key.to_user_string(),
                "check": evaluation.check_name,
                "result": "passed" if evaluation.passed else evaluation.severity.value,
                "finding": operations.finding(evaluation),
            }
            for evaluation in sorted(evaluations, key=lambda e: (e.asset_key, e.check_name))
        ],
    )
    if operations.failed(evaluations):
        sys.exit(1)


@main.command("status")
def status_command() -> None:
    """Show how each crew fares, how far each table has got, what waits for it, and what holds it back."""
    warehouse = Warehouse()
    health.require_schema(warehouse)
    with warehouse.connection() as connection:
        for title in ("crews", "tables"):
            print_table(console, fetch(connection, f"status/{title}"), title=title)
        by_window = [table for table in capture.status(connection) if table["mode"] != "captured"]
        if by_window:
            print_table(console, by_window, title="not captured: refreshed by window")
        if holders := fetch(connection, "status/holders"):
            print_table(console, holders, title="the oldest transaction: snapshots and logs wait for it")


@main.command("health")
def health_command() -> None:
    """Print whether everything is alive and up to date, as JSON; exit status 1 if it is not."""
    findings = health.look(Warehouse())
    click.echo(health.report(findings))
    if findings:
        sys.exit(1)


@main.command("webhook")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8080, show_default=True)
@click.option("--insecure", is_flag=True, help="Believe whoever can reach it, without WEBHOOK_SECRET.")
def webhook_command(host: str, port: int, insecure: bool) -> None:
    """Listen for conversations that are complete, and have each in all tables before answering."""
    from convo_pipelines import webhook

    secret = settings().webhook_secret
    if secret is None and not insecure:
        raise click.ClickException("WEBHOOK_SECRET is not set: set it, or say --insecure")
    logging.getLogger("convo_pipelines").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    webhook.run(host, port, None if insecure else secret)


@main.command("data-dictionary")
def data_dictionary() -> None:
    """Print the data dictionary of `analytics` as markdown, from the catalog's comments."""
    with Warehouse().connection() as connection:
        for row in fetch(connection, "status/data_dictionary"):
            click.echo(row["line"])


@main.command("zero-schema")
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="[default: print it]")
@click.option("--publication", metavar="NAME", help="What zero-cache replicates. [default: all of app, and the links]")
def zero_schema_command(output: Path | None, publication: str | None) -> None:
    """Write a schema for @rocicorp/zero from the live catalog: app's tables, the links, and how they relate."""
    with Warehouse().connection() as connection:
        text = zero_schema.generate(connection, publication)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        console.print(f"{output} written")


@main.command()
def demo() -> None:
    """Sample data, a backfill through Dagster, a tick, every check, and what an analyst would look at."""
    databases.export_environment()
    from convo_pipelines import demo as demonstration

    demonstration.run(console)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dagster(arguments: Sequence[str]) -> None:
    """Run any `dagster` command with the databases' addresses in its environment: `dagster dev`, `dagster job …`."""
    import subprocess

    databases.export_environment()
    sys.exit(subprocess.call([str(Path(sys.executable).parent / "dagster"), *arguments], env=os.environ))  # noqa: S603


@contextmanager
def _progress() -> Generator[Progress]:
    with Progress("{task.description}", "{task.completed:,.0f} rows in {task.elapsed:.0f} s", console=console) as shown:
        yield shown
