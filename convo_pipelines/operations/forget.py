"""Forgetting: removing sessions and persons from `analytics` for good, archive included.

What was logged before is read first: what is forgotten takes its keys along, which other tables may still need.
"""

import logging
from collections import Counter
from uuid import UUID

from convo_pipelines.database.warehouse import Connection, Row, Warehouse, fetch, fetch_one, histories
from convo_pipelines.engine import change_log, ticks
from convo_pipelines.engine.crews import CrewError
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.errors import ConvoPipelinesError

_log = logging.getLogger(__name__)


class StillThereError(ConvoPipelinesError):
    """What is to be forgotten is still in `app`, or not read yet: it would come back; nothing was removed."""


def sessions(warehouse: Warehouse, crew_code: str, session_id: str | None = None) -> Row:
    """Remove a session of a crew, or all of them; return how many session_days, summaries and links were removed.

    Raises:
        CrewError: no crew has the code.
        StillThereError: its messages or its conversation are still in `app`.

    """
    return _sessions(warehouse, "code", crew_code, session_id)


def client(warehouse: Warehouse, client_code: str) -> Row:
    """Remove all sessions of all crews of a client, crew by crew; return what `sessions` does, of all together.

    Raises:
        CrewError: no crew is of that client.
        StillThereError: messages or conversations of one of its crews are still in `app`.

    """
    return _sessions(warehouse, "client_code", client_code, None)


def _sessions(warehouse: Warehouse, column: str, code: str, session_id: str | None) -> Row:
    _read_everything(warehouse)
    with warehouse.connection() as connection:
        every = fetch(connection, "engine/crews/every")
        found = [crew for crew in every if crew[column] == code]
        if not found:
            known = ", ".join(sorted({crew[column] for crew in every})[:20]) or "none"
            raise CrewError(f"no crew has the {column.replace('_', ' ')} {code}; there are: {known}")
        for crew in found:
            _require_gone(connection, crew, session_id)
        removed = Counter[str]()
        for crew in found:
            removed.update(
                fetch_one(connection, "operations/forget/session", crew_id=crew["id"], session_id=session_id)
            )
        return dict(removed)


def _require_gone(connection: Connection, crew: Row, session_id: str | None) -> None:
    named = f"session {session_id!r}" if session_id else "sessions"
    if crew["has_table"]:
        left = fetch_one(
            connection, "operations/forget/messages_left", histories(crew["table_name"]), session_id=session_id
        )
        if left["is_left"]:
            where = f"app.{crew['table_name']}"
            raise StillThereError(
                f"{where} still has messages of {named} of crew {crew['code']}; delete them there first"
            )
    if fetch_one(connection, "operations/forget/conversation_left", crew_id=crew["id"], session_id=session_id)[
        "is_left"
    ]:
        raise StillThereError(f"app.conversations still has {named} of crew {crew['code']}; delete it there first")


def person(warehouse: Warehouse, person_id: UUID) -> Row:
    """Remove what is known of a person; return how many identifiers, resolutions and links were removed.

    Raises:
        StillThereError: the person, or a contact method of theirs, is still in `app`.

    """
    _read_everything(warehouse)
    with warehouse.connection() as connection, connection.transaction():
        if fetch_one(connection, "operations/forget/person_left", person_id=person_id)["is_left"]:
            raise StillThereError(
                f"app still has person {person_id} or a contact method of theirs; delete it there first"
            )
        return fetch(connection, "operations/forget/person", person_id=person_id)[0]


def _read_everything(warehouse: Warehouse) -> None:
    """Read what was logged up to now, but for what crews that fail have logged again since."""
    with warehouse.connection() as connection:
        now = fetch_one(connection, "engine/log/snapshot")["taken"]
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, _log)
    with warehouse.connection() as connection:
        if any(change_log.look(connection, table, taken=now).has_news for table in DERIVED_TABLES):
            raise StillThereError("a tick is at work; nothing was removed, run it again")
