"""Tombstones: the sessions whose conversation the application deleted, so that it does not come back."""

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch_one
from convo_pipelines.database.transactions import transaction
from convo_pipelines.engine.hooks import Hooks
from convo_pipelines.settings import settings

MOST = 5_000
"""So many are written in one transaction."""


class Tombstones(Hooks):
    """What `crew_conversations` records of deletions."""

    deletions = frozenset(
        {"histories_sessions delete", "conversations update", "conversations delete", "conversations truncate"}
    )

    @property
    def may_insert(self) -> bool:
        """Whether conversations are created for sessions."""
        return settings().create_conversations

    def before_finish(self, connection: Connection, unread_since: str | None) -> None:
        """Record deleted conversations, until so few are left that their crews are locked for a moment only."""
        rows = MOST
        while rows == MOST:
            with transaction(connection):
                rows = _write(connection, unread_since, rows=MOST, is_last=False)

    def before_store(self, connection: Connection, unread_since: str | None) -> bool:
        """Record the rest of them, and forget sessions that are gone."""
        _write(connection, unread_since, rows=None, is_last=True)
        execute(connection, "model/tombstones/gone_sessions", unread_since=unread_since)
        return False

    def before_emptying(self, connection: Connection) -> None:
        """Decide all deletions by the messages in the log."""
        _write(connection, None, rows=None, is_last=True)
        execute(connection, "model/tombstones/decide")


def _write(connection: Connection, unread_since: str | None, *, rows: int | None, is_last: bool) -> int:
    """Record which conversations were deleted, according to the log; return how many."""
    what = {"unread_since": unread_since, "rows": rows, "is_last": is_last}
    return fetch_one(connection, "model/tombstones/deleted", **what)["rows"]
