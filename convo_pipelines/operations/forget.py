"""Erasure: permanently deletes sessions and persons from `analytics`, archive included.

A tick runs first: deleting also deletes logged keys, which other tables may not have read yet.
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
    """The rows still exist in `app`, or are not read yet, and would be derived again; nothing was deleted."""


def sessions(warehouse: Warehouse, crew_code: str, session_id: str | None = None) -> Row:
    """Delete a session of a crew, or all of them; return the numbers of session_days, summaries and links deleted.

    Raises:
        CrewError: no crew has the code.
        StillThereError: its messages or its conversation are still in `app`.

    """
    return _sessions(warehouse, "code", crew_code, session_id)


def client(warehouse: Warehouse, client_code: str) -> Row:
    """Delete all sessions of all crews of a client, crew by crew; return the same numbers as `sessions`, added up.

    Raises:
        CrewError: the client has no crew.
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
    """Delete a person; return the numbers of identifiers, resolutions, decisions and links deleted.

    Raises:
        StillThereError: the person, or a contact method of the person, is still in `app`.

    """
    _read_everything(warehouse)
    with warehouse.connection() as connection, connection.transaction():
        if fetch_one(connection, "operations/forget/person_left", person_id=person_id)["is_left"]:
            raise StillThereError(
                f"app still has person {person_id} or one of its contact methods; delete them there first"
            )
        return fetch(connection, "operations/forget/person", person_id=person_id)[0]


def _read_everything(warehouse: Warehouse) -> None:
    """Tick every table, so that nothing logged before now is unread, except for crews that fail."""
    with warehouse.connection() as connection:
        now = fetch_one(connection, "engine/log/snapshot")["to_snapshot"]
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, _log)
    with warehouse.connection() as connection:
        if any(change_log.look(connection, table, to_snapshot=now).has_news for table in DERIVED_TABLES):
            raise StillThereError("another tick is running; nothing was deleted: run the command again")
