"""Manual decisions on which person a contact method belongs to; they override matching from the next tick on.

They are stored in `curation.participant_decisions`, which is kept when `analytics` is dropped.
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
    """The contact method, person or decision does not exist, or the contact method is not unique."""


def decide(warehouse: Warehouse, contact: str, person_id: UUID, decision: Decision, reason: str, by: str) -> list[Row]:
    """Decide that a contact method belongs, or never belongs, to a person.

    The opposite decision, and a link to another person of the same client, are revoked.

    Args:
        warehouse: the database.
        contact: id of the contact method, or its value in any spelling.
        person_id: the person.
        decision: `link` or `never`.
        reason: recorded with the decision.
        by: name recorded with the decision.

    Returns:
        The contact methods with this identifier: id, kind, value, and `is_given`, whether the application has set its
        person, which overrides the decision. The one that the decision names comes first.

    Raises:
        DecisionError: there is no such contact method or person, several different contact methods have this spelling,
            or another decision on it is being made.

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
        decided = {"contacts": [row["id"] for row in found], "person_id": person_id, "decision": decision, "by": by}
        try:
            execute(connection, "operations/decisions/replace", **decided)
            execute(connection, "operations/decisions/decide", reason=reason, **decided)
        except psycopg.errors.ForeignKeyViolation as error:
            raise DecisionError(str(error.diag.message_primary)) from None
        except (psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
            raise DecisionError(f"another decision on {contact} is being made: wait, then try again") from None
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
    """Return decisions, the newest first: those in force or all; those on the given contact methods or on any."""
    with warehouse.connection() as connection:
        return fetch(connection, "operations/decisions/list", contacts=contacts and list(contacts), is_all=is_all)
