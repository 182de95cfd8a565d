"""Commands about people's data: decisions on contact methods, and erasure."""

from uuid import UUID

import click

from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import decisions as manual
from convo_pipelines.operations import forget as erasure
from convo_pipelines.operations import health

BY = click.option("--by", envvar="USER", required=True, help="Name recorded with the decision.  [default: $USER]")
REASON = click.option("--reason", required=True, help="Reason recorded with the decision.")


@click.command()
@click.argument("contact")
@click.argument("person", type=click.UUID)
@REASON
@BY
def link(contact: str, person: UUID, reason: str, by: str) -> None:
    """Decide that CONTACT (an address in any spelling, or an id) belongs to PERSON (an id), overriding matching."""
    _decide(contact, person, "link", reason, by)


@click.command()
@click.argument("contact")
@click.argument("person", type=click.UUID)
@REASON
@BY
def unlink(contact: str, person: UUID, reason: str, by: str) -> None:
    """Decide that CONTACT (an address in any spelling, or an id) never belongs to PERSON (an id), despite a match."""
    _decide(contact, person, "never", reason, by)


def _decide(contact: str, person: UUID, decision: manual.Decision, reason: str, by: str) -> None:
    warehouse = Warehouse()
    health.require_schema(warehouse)
    decided = manual.decide(warehouse, contact, person, decision, reason, by)
    print_table(console, manual.list_of(warehouse, [row["id"] for row in decided]))
    if given := [row["value"] for row in decided if row["is_given"]]:
        console.print(f"the application has set the person of {', '.join(given)}: that overrides this decision")
    console.print("takes effect at the next tick; to revoke it: `convo-pipelines decisions --revoke ID`")


@click.command()
@click.option("--all", "is_all", is_flag=True, help="Include revoked decisions.")
@click.option("--revoke", type=click.UUID, metavar="ID", help="Revoke this decision first.")
@click.option("--by", envvar="USER", help="Name recorded with the revocation.  [default: $USER]")
def decisions(is_all: bool, revoke: UUID | None, by: str | None) -> None:
    """List the decisions in force on contact methods."""
    warehouse = Warehouse()
    health.require_schema(warehouse)
    if revoke:
        if by is None:
            raise click.UsageError("--revoke needs --by, the name to record")
        manual.revoke(warehouse, revoke, by)
    print_table(console, manual.list_of(warehouse, is_all=is_all))


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
    health.require_schema(warehouse)
    if person:
        removed = erasure.person(warehouse, person)
    elif client:
        removed = erasure.client(warehouse, client)
    else:
        removed = erasure.sessions(warehouse, str(crew), session)
    print_table(console, [removed])
