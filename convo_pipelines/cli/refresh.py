"""`convo-pipelines refresh`: a window of days, or all about one person, conversation or session."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import click

from convo_pipelines.cli.terminal import working
from convo_pipelines.cli.tick import CLIENTS, CREWS, print_counts
from convo_pipelines.database import addresses
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import pipeline


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
    print_counts(done)
    if locked := sum(outcome.locked for outcome in done.tables.values()):
        raise click.ClickException(f"{locked} rows are locked by another session; the next tick refreshes them")
