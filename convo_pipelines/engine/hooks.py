"""What a table does at declared points of a refresh, beyond reading, comparing and writing its rows."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Changes


class Hooks:
    """Nothing; a table whose `table.toml` names a subclass as `hooks` does what that says.

    Attributes:
        deletions: changes, as `<source> <operation>`, of which a table has to record something before they are trimmed.
            Nothing is trimmed before its first build.

    """

    deletions: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """What its rows are computed by, besides statements; if it was another, the next tick computes all of them."""
        return ""

    @property
    def may_insert(self) -> bool:
        """Whether new rows are inserted; otherwise its step `insert` refuses them."""
        return True

    def prepare(self, connection: Connection, *, is_everything_new: bool) -> int:
        """Do what has to be done in a chunk before it compares; return how many rows of other tables were different."""
        del connection, is_everything_new
        return 0

    def prepare_few(
        self, connection: Connection, given: sql.Composable, keys: Mapping[str, object]
    ) -> dict[str, object]:
        """Do the same for a few keys; return further parameters.

        Args:
            connection: in a transaction.
            given: the query that returns the keys.
            keys: its parameters.

        """
        del connection, given, keys
        return {}

    def choose_pending(self, connection: Connection, pending: Changes, parameters: Mapping[str, object]) -> bool | None:
        """Choose the keys with unread changes, of a refresh with these parameters; return False if that is every key.

        None: they are chosen as those of a tick are.
        """
        del connection, pending, parameters
        return None

    def before_finish(self, connection: Connection, unread_since: str | None) -> None:
        """Record most of what deletions need, outside of the transaction that moves the watermark."""
        del connection, unread_since

    def before_store(self, connection: Connection, unread_since: str | None) -> bool:
        """Record what deletions need, in that transaction; return whether something was logged for the next tick."""
        del connection, unread_since
        return False

    def before_exchange(self, connection: Connection) -> None:
        """Record what only the log knows, before it is forgotten which tables it is about."""
        del connection

    def before_emptying(self, connection: Connection) -> None:
        """Record what only the log knows, before it is emptied."""
        del connection


@cache
def hooks_of(table: DerivedTable) -> Hooks:
    """Return the hooks of a table."""
    module, _, name = table.hooks.partition(":")
    return getattr(import_module(module), name)() if name else Hooks()
