"""Erasure: permanently deletes sessions and persons from `analytics`, archive included.

A tick runs first, because the log has the keys that are deleted, too, and every table has to read them. Then a
transaction waits for the refreshes at work and holds up others, while it checks that nothing is left and deletes.
"""

import logging
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_one, histories
from convo_pipelines.database.locks import patiently
from convo_pipelines.database.transactions import LOCK_TIMEOUT, begin
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.leases import LEASE_SECONDS
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.crews import CrewError
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS

WAIT_SECONDS = LEASE_SECONDS + 1
"""How long the ticks of another process are waited for."""

_log = logging.getLogger(__name__)


class StillThereError(ConvoPipelinesError):
    """The rows still exist in `app`, or are not read yet, and would be derived again; nothing of them was deleted."""


class LakeError(ConvoPipelinesError):
    """The lake has files of what is to be forgotten, but is not known here; nothing was deleted."""


def require_no_lake(warehouse: Warehouse) -> None:
    """Check that no lake has copies, if LAKE_URI does not say which lake.

    Raises:
        LakeError: tables go into a lake.

    """
    with warehouse.connection() as connection:
        tables = [row["table_name"] for row in fetch(connection, "operations/forget/in_lake")]
    if tables:
        raise LakeError(
            f"{', '.join(tables)} go into a lake, whose files would keep what is forgotten; nothing was deleted: set "
            "LAKE_URI and the others of the lake as where `convo-pipelines lake write` runs. If there is no lake any "
            "more, run `convo-pipelines lake unfollow`"
        )


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
        every = fetch(connection, "model/crews/every")
        found = [crew for crew in every if crew[column] == code]
        if not found:
            known = ", ".join(sorted({crew[column] for crew in every})[:20]) or "none"
            raise CrewError(f"no crew has the {column.replace('_', ' ')} {code}; there are: {known}")
        for crew in found:
            _require_gone(connection, crew, session_id)
        removed = Counter[str]()
        for number, crew in enumerate(found):
            try:
                patiently(partial(_forget_crew, connection, crew, session_id, removed))
            except StillThereError as error:
                before = ", ".join(other["code"] for other in found[:number])
                raise StillThereError(f"{error}{before and f'; forgotten before: {before}'}") from None
        return dict(removed)


def _forget_crew(connection: Connection, crew: Row, session_id: str | None, removed: Counter[str]) -> None:
    asked = {"crew_id": crew["id"], "session_id": session_id}
    with _alone(connection, f"{HISTORIES_SESSIONS.name}:{crew['id']}"):
        _require_gone(connection, crew, session_id)
        _require_read(fetch(connection, "operations/forget/unread_session", **asked), f"crew {crew['code']}")
        deleted = fetch_one(connection, "operations/forget/session", **asked)
        execute(connection, "operations/forget/logged_session", **asked)
    removed.update(deleted)


@contextmanager
def _alone(connection: Connection, *locks: str) -> Generator[None]:
    """Open a transaction during which no other process refreshes."""
    with connection.transaction():
        begin(connection, None, LOCK_TIMEOUT, [*locks, *(table.name for table in DERIVED_TABLES)])
        yield


def _require_read(unread: list[Row], what: str) -> None:
    if unread:
        tables = ", ".join(row["table_name"] for row in unread)
        raise StillThereError(
            f"{tables} has not read all changes of {what} yet: nothing of it was deleted; "
            "run the command again, and if that does not help, see `convo-pipelines status`"
        )


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
    removed: list[Row] = []

    def forget() -> None:
        with _alone(connection):
            if fetch_one(connection, "operations/forget/person_left", person_id=person_id)["is_left"]:
                raise StillThereError(
                    f"app still has person {person_id} or one of its contact methods; delete them there first"
                )
            unread = fetch(connection, "operations/forget/unread_person", person_id=person_id)
            _require_read(unread, f"person {person_id}")
            removed[:] = fetch(connection, "operations/forget/person", person_id=person_id)

    with warehouse.connection() as connection:
        patiently(forget)
    return removed[0]


def _read_everything(warehouse: Warehouse) -> None:
    """Tick every table, so that nothing logged before now is unread, except for crews that fail.

    Raises:
        StillThereError: another process went on ticking one of them.

    """
    for table in DERIVED_TABLES:
        outcome, _ = ticks.tick(warehouse, table, _log, wait_seconds=WAIT_SECONDS)
        if outcome.is_skipped:
            raise StillThereError(
                f"another process is running ticks of {table.name}; nothing was deleted: run the command again"
            )
