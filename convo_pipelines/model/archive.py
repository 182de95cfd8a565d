"""The archive: session-days whose messages the application deleted when they were old."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch_one, fetch_prepared
from convo_pipelines.engine.hooks import Hooks
from convo_pipelines.engine.keys import choose_keys
from convo_pipelines.engine.scopes import Changes
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines.settings import settings

MOVE = "histories move"
"""An update that took rows from a session-day: see `remember_prunings`."""


ANY_SESSION = {"asked_crews": None, "asked_sessions": None}
"""Parameters of `keys.sql` that do not narrow it to some sessions."""


class Archive(Hooks):
    """What `histories_sessions` records of deletions."""

    deletions = frozenset({"histories delete", "histories truncate"})

    def choose_pending(self, connection: Connection, pending: Changes, parameters: Mapping[str, object]) -> bool:
        """Choose the keys of a crew with unread changes; return False if that is everything."""
        crew: dict[str, Any] = {name: parameters[name] for name in ("crew_ids", "oids")}
        span = {"from_snapshot": pending.from_snapshot, "to_snapshot": pending.to_snapshot}
        if fetch_one(connection, "model/crews/is_everything", **span, members=crew["oids"])["is_everything"]:
            return False
        choose_keys(connection, HISTORIES_SESSIONS, pending, **crew, **ANY_SESSION)
        return True

    def before_store(self, connection: Connection, unread_since: str | None) -> bool:
        """Mark session-days as archive."""
        return archive(connection, unread_since)

    def before_exchange(self, connection: Connection) -> None:
        """Record what only the log knows of deleted rows of histories tables, by changes since their watermark."""
        known = fetch_prepared(connection, "engine/change_log/position", asset_keys=["histories_sessions"])
        since = known[0]["from_snapshot"] if known else None
        archive(connection, since)
        remember_prunings(connection, since, ())

    before_emptying = before_exchange


def archive(connection: Connection, unread_since: str | None) -> bool:
    """Mark session-days as archive whose rows were deleted, by changes since a snapshot; None: all in the log.

    Return whether some were locked, and logged for retry.
    """
    span = {"unread_since": unread_since, "archive_after_days": settings().archive_after_days}
    return fetch_one(connection, "model/archive/archive", **span)["is_left"]


def remember_prunings(connection: Connection, unread_since: str | None, read: Sequence[UUID]) -> None:
    """Remember deletions since a snapshot of which the log does not say whose rows they were, and moves beside them.

    Args:
        connection: in the transaction that moves the watermark, or that has these changes deleted or not found.
        unread_since: the watermark.
        read: crews whose whole table was read since: of these, they are settled.

    """
    execute(connection, "model/archive/prunings", unread_since=unread_since, read=list(read))
