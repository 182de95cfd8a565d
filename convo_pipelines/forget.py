"""Forgetting: removing sessions and persons from `analytics` for good, archive included.

What was logged before is read first: what is forgotten takes its keys along, which other tables may still need.
"""

import logging
from uuid import UUID

from convo_pipelines import changes, crews, ticks
from convo_pipelines.registry import DERIVED_TABLES
from convo_pipelines.warehouse import Row, Warehouse, fetch, fetch_one, histories

_log = logging.getLogger(__name__)


class StillThereError(Exception):
    """What is to be forgotten is still in `app`, or not read yet: it would come back; nothing was removed."""


def sessions(warehouse: Warehouse, crew_code: str, session_id: str | None = None) -> Row:
    """Remove a session of a crew, or all of them; return how many session_days, summaries and links were removed.

    Raises:
        CrewError: no active crew has the code.
        StillThereError: its messages or its conversation are still in `app`.

    """
    _read_everything(warehouse)
    with warehouse.connection() as connection, connection.transaction():
        [crew] = crews.active(connection, [crew_code])
        what = {"session_id": session_id}
        named = f"session {session_id!r}" if session_id else "sessions"
        if (
            crew["members"]
            and fetch_one(connection, "forget/messages_left", histories(crew["table_name"]), **what)["is_left"]
        ):
            raise StillThereError(f"app.{crew['table_name']} still has messages of {named}; delete them there first")
        what["crew_id"] = crew["id"]
        if fetch_one(connection, "forget/conversation_left", **what)["is_left"]:
            raise StillThereError(f"app.conversations still has {named} of crew {crew_code}; delete it there first")
        return fetch_one(connection, "forget/session", **what)


def person(warehouse: Warehouse, person_id: UUID) -> Row:
    """Remove what is known of a person; return how many identifiers, resolutions and links were removed.

    Raises:
        StillThereError: the person, or a contact method of theirs, is still in `app`.

    """
    _read_everything(warehouse)
    with warehouse.connection() as connection, connection.transaction():
        if fetch_one(connection, "forget/person_left", person_id=person_id)["is_left"]:
            raise StillThereError(
                f"app still has person {person_id} or a contact method of theirs; delete it there first"
            )
        return fetch(connection, "forget/person", person_id=person_id)[0]


def _read_everything(warehouse: Warehouse) -> None:
    """Read what was logged up to now, but for what crews that fail have logged again since."""
    with warehouse.connection() as connection:
        now = fetch_one(connection, "state/now")["taken"]
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, _log)
    with warehouse.connection() as connection:
        if any(changes.look(connection, table, taken=now).has_news for table in DERIVED_TABLES):
            raise StillThereError("a tick is at work; nothing was removed, run it again")
