"""What is known of an identifier, and why: contact methods, sessions, persons and decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.identifiers import canonical

NAMED_CONTACTS = 5
CONVERSATIONS = "operations/who/conversations"
"""A part of other statements: the conversations in which an identifier occurs."""


class UnknownIdentifierError(ConvoPipelinesError, LookupError):
    """What was written is no identifier, or names several."""


@dataclass(frozen=True)
class Named:
    """What an identifier, as it was written, or an id names.

    Attributes:
        identifier: the canonical form; None: the value of the contact method has none.
        contact_id: the contact method, if its id was given, or if its value has no canonical form; else None.
        contacts: all contact methods with the identifier: id, kind, value, and `is_given`, whether the application has
            set its person. That of `contact_id` comes first.

    """

    identifier: str | None
    contact_id: UUID | None
    contacts: list[Row]

    @property
    def key(self) -> str:
        """What `analytics.identifiers` calls it."""
        return self.identifier or str(self.contact_id)

    @property
    def contact_ids(self) -> list[UUID]:
        """The ids of the contact methods."""
        return [row["id"] for row in self.contacts]


def find(connection: Connection, written: str) -> Named:
    """Return what an identifier in any spelling, a session id, or the id of a contact method or conversation names.

    Raises:
        UnknownIdentifierError: it is none of these, it holds several addresses, or several contact methods without a
            canonical form are spelled so.

    """
    id_ = _uuid(written)
    identifiers = [] if id_ else canonical("session", written)
    for row in fetch(connection, "operations/who/session_of", id=id_):
        identifiers = canonical(row["kind"], row["session_id"])
        if not identifiers:
            raise UnknownIdentifierError(
                f"the session {row['session_id']} of conversation {id_} is no phone number, e-mail address or LinkedIn "
                "profile: it names nobody"
            )
    identifier = _only(identifiers, written)
    found = fetch(connection, "operations/who/contacts", id=id_, value=written, identifier=identifier)
    if identifier:
        found = [row for row in found if canonical(row["kind"], row["value"])]
    elif found and found[0]["id"] == id_:
        identifier = _only(canonical(found[0]["kind"], found[0]["value"]), written)
    forms: set[str | UUID] = {identifier} if identifier else set()
    for row in found:
        of_row = canonical(row["kind"], row["value"])
        forms.update([] if identifier in of_row else of_row or [row["id"]])
    if not forms:
        raise UnknownIdentifierError(
            f"there is no contact method {written}, and it is no phone number, e-mail address or LinkedIn profile"
        )
    if len(forms) > 1:
        named = ", ".join(f"{row['id']} ({row['kind']})" for row in found[:NAMED_CONTACTS])
        raise UnknownIdentifierError(f"{len(found)} contact methods are spelled {written}; give the id of one: {named}")
    [form] = forms
    is_contact = isinstance(form, UUID) or (found and found[0]["id"] == id_)
    return Named(form if isinstance(form, str) else None, found[0]["id"] if is_contact else None, found)


def who(warehouse: Warehouse, written: str) -> dict[str, Any]:
    """Return what is known of an identifier, as of the last tick; arguments and errors as of `find`.

    Returns:
        `identifier`: its canonical form, or None. The others are rows: `clients` (whom it names in the conversations of
        each client), `persons` (whom it may name and why), `contact_methods`, `sessions`, and `decisions`, including
        revoked ones.

    """
    with warehouse.connection() as connection:
        named = find(connection, written)
        conversations = {"conversations": fragment(CONVERSATIONS)}
        return {
            "identifier": named.identifier,
            "clients": fetch(connection, "operations/who/clients", conversations, key=named.key),
            "persons": fetch(connection, "operations/who/persons", key=named.key),
            "contact_methods": fetch(connection, "operations/who/contact_methods", ids=named.contact_ids),
            "sessions": fetch(connection, "operations/who/sessions", key=named.key),
            "decisions": fetch(
                connection,
                "operations/decisions/list",
                contacts=named.contact_ids,
                identifier=named.identifier,
                is_all=True,
            ),
        }


def _only(identifiers: Sequence[str], written: str) -> str | None:
    if len(identifiers) > 1:
        raise UnknownIdentifierError(f"{written} has several addresses; give one of them: {', '.join(identifiers)}")
    return identifiers[0] if identifiers else None


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written.strip())
    except ValueError:
        return None
