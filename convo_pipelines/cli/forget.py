"""`convo-pipelines forget`: erasure of sessions and people."""

from uuid import UUID

import click

from convo_pipelines import extras
from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import forget as erasure
from convo_pipelines.operations import schema
from convo_pipelines.settings import settings


@click.command()
@click.option("--session", help="This session of the crew.")
@click.option("--crew", help="The crew's code; without --session, all of its sessions.")
@click.option("--client", help="The client's code: all sessions of all of its crews, active or not.")
@click.option("--person", type=click.UUID, help="Id of a person.")
def forget(session: str | None, crew: str | None, client: str | None, person: UUID | None) -> None:
    """Permanently delete a session, a crew's or client's sessions, or a person from analytics, archive included.

    Rows that still exist in app are not deleted: delete them there first. An interrupted run can be repeated.
    """
    if [crew, client, person].count(None) != 2 or (session and not crew):
        raise click.UsageError("give exactly one of --crew, --client, --person; --session only with --crew")
    warehouse = Warehouse()
    schema.require(warehouse)
    if not settings().has_lake:
        erasure.require_no_lake(warehouse)
    if person:
        removed = erasure.person(warehouse, person)
    elif client:
        removed = erasure.client(warehouse, client)
    else:
        removed = erasure.sessions(warehouse, str(crew), session)
    if settings().has_lake:
        extras.require("lake")
        from convo_pipelines.lake import refresh

        refresh.forget(warehouse)
    print_table(console, [removed])
