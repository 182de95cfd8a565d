"""What callers name, and what a refresh is narrowed to."""

from collections.abc import Collection
from uuid import UUID

from convo_pipelines.engine.scopes import Asked, Selection


def asked(
    crew_ids: Collection[UUID] = (),
    session_ids: Collection[str] = (),
    conversation_ids: Collection[UUID] = (),
    person_ids: Collection[UUID] = (),
) -> Asked:
    """Return sessions (of these crews, pair by pair), conversations, persons."""
    return Asked(
        {
            "asked_crews": list(crew_ids),
            "asked_sessions": list(session_ids),
            "asked_conversations": list(conversation_ids),
            "asked_people": list(person_ids),
        }
    )


def selected(crew_ids: Collection[UUID], client_ids: Collection[UUID] = ()) -> Selection:
    """Return the selection of the sessions and conversations of crews and clients."""
    return Selection({"crew_ids": list(crew_ids), "client_ids": list(client_ids)})
