"""`convo-pipelines people`: what is known of an identifier, and decisions on whose it is."""

import json
from collections import Counter
from uuid import UUID

import click

from convo_pipelines.cli.groups import Group
from convo_pipelines.cli.terminal import console, print_table, write
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import decisions as manual
from convo_pipelines.operations import schema
from convo_pipelines.operations import who as knowledge

BY = click.option("--by", envvar="USER", required=True, help="Name recorded with the decision.  [default: $USER]")
REASON = click.option("--reason", required=True, help="Reason recorded with the decision.")


DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Decide nothing; show which links to conversations would change."
)


@click.group(cls=Group)
def people() -> None:
    """Show what is known of an identifier, and decide whose it is."""


@people.command()
@click.argument("identifier")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def who(identifier: str, is_json: bool) -> None:
    """Show all that is known of IDENTIFIER (as of `link`), and why, as of the last tick."""
    warehouse = Warehouse()
    schema.require(warehouse)
    known = knowledge.who(warehouse, identifier)
    if is_json:
        write(json.dumps(known, default=str, indent=2))
        return
    canonical = known.pop("identifier")
    write(f"{identifier}: {canonical or 'no phone number, e-mail address or LinkedIn profile'}")
    for name, rows in known.items():
        title = name.replace("_", " ")
        if rows:
            print_table(console, rows, title)
        else:
            write(f"no {title}")


@people.command()
@click.argument("identifier")
@click.argument("person", type=click.UUID)
@REASON
@BY
@DRY_RUN
def link(identifier: str, person: UUID, reason: str, by: str, dry_run: bool) -> None:
    """Decide that IDENTIFIER belongs to PERSON (an id), overriding matching.

    IDENTIFIER is a phone number, e-mail address, LinkedIn profile or session id in any spelling, whether or not anybody
    has it. It may also be the id of a contact method or of a crew's conversation.
    """
    _decide(manual.Decision(identifier, person, "link", reason, by), dry_run)


@people.command()
@click.argument("identifier")
@click.argument("person", type=click.UUID)
@REASON
@BY
@DRY_RUN
def unlink(identifier: str, person: UUID, reason: str, by: str, dry_run: bool) -> None:
    """Decide that IDENTIFIER (as of `link`) never belongs to PERSON (an id), despite a match."""
    _decide(manual.Decision(identifier, person, "never", reason, by), dry_run)


def _decide(decision: manual.Decision, dry_run: bool) -> None:
    warehouse = Warehouse()
    schema.require(warehouse)
    if dry_run:
        changes = manual.preview(warehouse, decision)
        print_table(console, changes)
        times = Counter(row["change"] for row in changes)
        write(f"{times['added']:,} links would be added, {times['removed']:,} removed; nothing was decided")
        return
    named = manual.decide(warehouse, decision)
    print_table(console, manual.list_of(warehouse, decision.written))
    if given := [row["value"] for row in named.contacts if row["is_given"]]:
        write(f"the application has set the person of {', '.join(given)}: that overrides this decision")
    write("takes effect at the next tick; to revoke it: `convo-pipelines people decisions --revoke ID`")


@people.command()
@click.argument("identifier", required=False)
@click.option("--all", "is_all", is_flag=True, help="Include revoked decisions.")
@click.option("--revoke", type=click.UUID, metavar="ID", help="Revoke this decision first.")
@click.option("--by", envvar="USER", help="Name recorded with the revocation.  [default: $USER]")
def decisions(identifier: str | None, is_all: bool, revoke: UUID | None, by: str | None) -> None:
    """List the decisions in force, on IDENTIFIER (as of `link`) or on any."""
    warehouse = Warehouse()
    schema.require(warehouse)
    if revoke:
        if by is None:
            raise click.UsageError("--revoke needs --by, the name to record")
        manual.revoke(warehouse, revoke, by)
    print_table(console, manual.list_of(warehouse, identifier, is_all=is_all))
