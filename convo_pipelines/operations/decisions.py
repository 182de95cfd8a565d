"""Manual decisions on which person an identifier belongs to; they override matching from the next tick on.

They are stored in `curation.participant_decisions`, which is kept when `analytics` is dropped.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.transactions import LOCK_TIMEOUT, refreshing
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.participants import Participants
from convo_pipelines.model.tables import PARTICIPANT_RESOLUTIONS
from convo_pipelines.operations.who import CONVERSATIONS, Named, find

_LOCK = "participant_decisions"


class DecisionError(ConvoPipelinesError, LookupError):
    """The person or decision does not exist, or another decision is being made."""


@dataclass(frozen=True)
class Decision:
    """That an identifier belongs, or never belongs, to a person.

    Attributes:
        written: an identifier in any spelling, a session id, or the id of a contact method or conversation.
        person_id: the person.
        decision: `link` or `never`.
        reason: recorded with the decision.
        by: name recorded with the decision.

    """

    written: str
    person_id: UUID
    decision: Literal["link", "never"]
    reason: str
    by: str


def decide(warehouse: Warehouse, decision: Decision) -> Named:
    """Make a decision; return what it is about.

    The opposite decision, and a link to another person of the same client, are revoked.

    Raises:
        UnknownIdentifierError: nothing is named so, or several contact methods are.
        DecisionError: there is no such person, or another decision is being made.

    """
    with warehouse.connection() as connection, connection.transaction():
        execute(connection, "database/session/lock", locks=[_LOCK], lock_timeout=LOCK_TIMEOUT)
        named = find(connection, decision.written)
        _decide(connection, decision, named)
    return named


def preview(warehouse: Warehouse, decision: Decision) -> list[Row]:
    """Return the links of persons that a decision would change, as of the last tick; raises what `decide` does.

    The decision is made, and its conversations' persons are found as a tick finds them, in a transaction that is
    rolled back.

    Returns:
        Rows of change (added or removed), client, person_id, person, conversation_id, channel, started_at.

    """
    changes: list[Row] = []
    with (
        warehouse.connection() as connection,
        refreshing(connection, [_LOCK, PARTICIPANT_RESOLUTIONS.name], PARTICIPANT_RESOLUTIONS.sources),
    ):
        named = find(connection, decision.written)
        before = _people(connection, named)
        _decide(connection, decision, named)
        execute(connection, "operations/decisions/keys", **_about(named))
        Participants().prepare(connection, is_everything_new=False)
        after = _people(connection, named)
        changes += [{"change": "removed", **before[link]} for link in sorted(before.keys() - after.keys())]
        changes += [{"change": "added", **after[link]} for link in sorted(after.keys() - before.keys())]
        raise psycopg.Rollback
    return changes


def revoke(warehouse: Warehouse, decision_id: UUID, by: str) -> None:
    """Revoke a decision.

    Raises:
        DecisionError: there is none in force with this id.

    """
    with warehouse.connection() as connection:
        if not fetch(connection, "operations/decisions/revoke", id=decision_id, by=by):
            raise DecisionError(f"there is no decision {decision_id} in force")


def list_of(warehouse: Warehouse, written: str | None = None, *, is_all: bool = False) -> list[Row]:
    """Return decisions, the newest first: those in force or all; those on what is written so, or on anything.

    Raises:
        UnknownIdentifierError: nothing is named so, or several contact methods are.

    """
    with warehouse.connection() as connection:
        about = _about(find(connection, written)) if written else {"contacts": None, "identifier": None}
        return fetch(connection, "operations/decisions/list", is_all=is_all, **about)


def _about(named: Named) -> dict[str, Any]:
    return {"contacts": named.contact_ids, "identifier": named.identifier}


def _decide(connection: Connection, decision: Decision, named: Named) -> None:
    made = {"person_id": decision.person_id, "decision": decision.decision, "by": decision.by, **_about(named)}
    try:
        execute(connection, "operations/decisions/replace", **made)
        execute(connection, "operations/decisions/decide", contact_id=named.contact_id, reason=decision.reason, **made)
    except psycopg.errors.ForeignKeyViolation as error:
        raise DecisionError(str(error.diag.message_primary)) from None
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
        raise DecisionError(f"another decision on {decision.written} is being made: wait, then try again") from None


def _people(connection: Connection, named: Named) -> dict[tuple[UUID, UUID], Row]:
    """Return the links of persons to the conversations in which the identifier occurs."""
    rows = fetch(connection, "operations/decisions/people", {"conversations": fragment(CONVERSATIONS)}, key=named.key)
    return {(row["person_id"], row["conversation_id"]): row for row in rows}
