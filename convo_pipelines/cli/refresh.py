"""Commands that refresh the derived tables, and that check them."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from convo_pipelines.cli.terminal import console, print_table, working, write
from convo_pipelines.database import addresses
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import reconcile as reconciliation
from convo_pipelines.engine.change_log import LEASE_SECONDS
from convo_pipelines.operations import comparison, health, pipeline

CLIENTS = click.option("--client", "clients", multiple=True, help="Only conversations of this client; may be repeated.")
CREWS = click.option("--crew", "crews", multiple=True, help="Only sessions of this crew; may be repeated.")


@click.command()
@CLIENTS
@CREWS
def tick(clients: Sequence[str], crews: Sequence[str]) -> None:
    """Do what the schedules would do now, in this process, and print the counts per table.

    With --client or --crew, the watermarks stay: the schedules' next tick repeats the work. A follower yields to it;
    any other tick that is running is waited for up to a minute. Then its tables are skipped, and the exit status is 1.
    """
    with working("starting") as shown:
        done = pipeline.tick(
            Warehouse(),
            crew_codes=crews,
            client_codes=clients,
            wait_seconds=LEASE_SECONDS + 1,
            progress=shown,
        )
    _print(done)
    if skipped := [name for name, outcome in done.tables.items() if outcome.is_skipped]:
        raise click.ClickException(f"another process is running ticks of {', '.join(skipped)}: they were skipped")


def _print(done: pipeline.Refreshed) -> None:
    """Print the counts of each table; fail if a crew failed."""
    print_table(
        console,
        [
            {"table": name, **asdict(outcome.counts), "": "skipped: another tick is running" * outcome.is_skipped}
            for name, outcome in done.tables.items()
        ],
    )
    if done.failed_crews:
        raise click.ClickException("these crews failed: " + "; ".join(done.failed_crews))


@click.command()
@click.argument("asset", required=False)
@click.option("--start", type=click.DateTime(), help="UTC; widened to whole days.  [default: the first partition]")
@click.option("--end", type=click.DateTime(), help="UTC, exclusive; widened to whole days.  [default: now]")
@CLIENTS
@CREWS
@click.option("--person", type=click.UUID, help="Everything about the person with this id.")
@click.option("--conversation", type=click.UUID, help="Everything about the conversation with this id.")
@click.option("--session", help="Everything about this session of the crew that --crew names.")
def refresh(
    asset: str | None,
    start: datetime | None,
    end: datetime | None,
    clients: Sequence[str],
    crews: Sequence[str],
    person: UUID | None,
    conversation: UUID | None,
    session: str | None,
) -> None:
    """Materialize ASSET (several: separated by commas) for a window, as one Dagster run.

    With --person, --conversation or --session in place of ASSET, everything about that one is recomputed in all
    tables, in this process, without Dagster.
    """
    if [asset, person, conversation, session].count(None) != 3:
        raise click.UsageError("give exactly one of ASSET, --person, --conversation, --session")
    if asset is None:
        if session is not None and len(crews) != 1:
            raise click.UsageError("--session needs one --crew, the code of the crew whose session it is")
        if start or end or clients or (crews and session is None):
            raise click.UsageError("--start, --end, --client and --crew narrow an ASSET only")
        _refresh_one(person, conversation, (crews[0], session) if session is not None else None)
        return
    Warehouse().ping()
    addresses.export_environment()
    from convo_pipelines.definitions import defs
    from convo_pipelines.orchestration import runs

    if not runs.materialize(defs, asset.split(","), start, end, crews, clients):
        raise click.ClickException("the run, or one of its crews, failed; see the log above")


def _refresh_one(person: UUID | None, conversation: UUID | None, session: tuple[str, str] | None) -> None:
    with working("starting") as shown:
        done = pipeline.refresh_one(
            Warehouse(), person=person, conversation=conversation, session=session, progress=shown
        )
    _print(done)
    if locked := sum(outcome.locked for outcome in done.tables.values()):
        raise click.ClickException(f"{locked} rows are locked by another session; the next tick refreshes them")


class _Rate(ProgressColumn):
    """Keys per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@click.command()
def reconcile() -> None:
    """Compare every derived row with its sources, repair it, and print what was repaired."""
    warehouse = Warehouse()
    health.require_schema(warehouse)
    logging.getLogger(reconciliation.__name__).setLevel(logging.INFO)
    columns = (TextColumn("keys"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("keys", total=reconciliation.size(warehouse))
        result = pipeline.reconcile(warehouse, progress=lambda keys: progress.advance(task, keys))
    print_table(
        console,
        [
            {"table": name, **asdict(outcome.counts), "of which drift": outcome.drift.changed}
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
        write(f"{figure:>12,} {name}")
    if result.failed_crews:
        raise click.ClickException("these crews could not be compared: " + "; ".join(result.failed_crews))


@click.command()
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


@click.command()
def verify() -> None:
    """Run every asset check; exit status 1 if one of severity ERROR fails."""
    health.require_schema(Warehouse())
    addresses.export_environment()
    from convo_pipelines.definitions import defs
    from convo_pipelines.orchestration import runs

    evaluations = runs.run_checks(defs)
    print_table(
        console,
        [
            {
                "asset": evaluation.asset_key.to_user_string(),
                "check": evaluation.check_name,
                "result": "passed" if evaluation.passed else evaluation.severity.value,
                "finding": runs.finding(evaluation),
            }
            for evaluation in sorted(evaluations, key=lambda e: (e.asset_key, e.check_name))
        ],
    )
    if runs.failed(evaluations):
        sys.exit(1)
