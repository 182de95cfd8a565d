"""Decisions by hand: whose a contact method is, whatever matches; they count from the next tick on.

They stand in `curation.participant_decisions`, which outlives `analytics`.
"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import psycopg

from convo_pipelines.database.warehouse import LOCK_TIMEOUT, Row, Warehouse, execute, fetch
from convo_pipelines.engine.identifiers import canonical
from convo_pipelines.errors import ConvoPipelinesError

NAMED_CONTACTS = 5

Decision = Literal["link", "never"]


class DecisionError(ConvoPipelinesError, LookupError):
    """What a decision is about is not there, or not the only one."""


def decide(warehouse: Warehouse, contact: str, person_id: UUID, decision: Decision, reason: str, by: str) -> list[Row]:
    """Decide whose a contact method is, or never is; the opposite, and another link within the client, are revoked.

    Args:
        warehouse: the database.
        contact: its id, or what it is, in any spelling.
        person_id: the person.
        decision: `link` or `never`.
        reason: why.
        by: who decides.

    Returns:
        The contact methods that have the identifier, that which was decided on first: id, kind, value, and `is_given`:
        whether the application says whose it is, which outranks the decision.

    Raises:
        DecisionError: there is no such contact method or person, several different contact methods are spelled like
            that, or somebody else decides on it at this moment.

    """
    with warehouse.connection() as connection, connection.transaction():
        execute(connection, "database/session/lock", locks=["participant_decisions"], lock_timeout=LOCK_TIMEOUT)
        found = fetch(
            connection, "operations/decisions/contacts", contact=contact, identifier=canonical("session", contact)
        )
        if not found:
            raise DecisionError(f"there is no contact method {contact}")
        if len({canonical(row["kind"], row["value"]) or row["id"] for row in found}) > 1:
            named = ", ".join(f"{row['id']} ({row['kind']})" for row in found[:NAMED_CONTACTS])
            raise DecisionError(f"{len(found)} contact methods are spelled {contact}; give the id of one: {named}")
        what = {"contacts": [row["id"] for row in found], "person_id": person_id, "decision": decision, "by": by}
        try:
            execute(connection, "operations/decisions/replace", **what)
            execute(connection, "operations/decisions/decide", reason=reason, **what)
        except psycopg.errors.ForeignKeyViolation as error:
            raise DecisionError(str(error.diag.message_primary)) from None
        except (psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
            raise DecisionError(f"somebody else decides on {contact} now: look at `decisions`, try again") from None
    return found


def revoke(warehouse: Warehouse, decision_id: UUID, by: str) -> None:
    """Revoke a decision.

    Raises:
        DecisionError: there is none in force with this id.

    """
    with warehouse.connection() as connection:
        if not fetch(connection, "operations/decisions/revoke", id=decision_id, by=by):
            raise DecisionError(f"there is no decision {decision_id} in force")


def list_of(warehouse: Warehouse, contacts: Sequence[UUID] | None = None, *, is_all: bool = False) -> list[Row]:
    """Return decisions in force, or all; on these contact methods, or all; the newest first."""
    with warehouse.connection() as connection:
        return fetch(connection, "operations/decisions/list", contacts=contacts and list(contacts), is_all=is_all)
