"""Views and foreign keys on the application's tables, bound anew after an exchange by rename.

Statements find a table by its name. PostgreSQL binds views and foreign keys to the table and the columns that had the
names when they were created. After the application exchanges a table or a column by rename, they are created anew,
before anything is read: views from their definitions in `sql/schema/`, whose columns keep their types.
"""

import logging
from collections.abc import Callable
from functools import cache, partial

import psycopg
from psycopg import sql

from convo_pipelines.database import schema
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, execute, fetch, fetch_one
from convo_pipelines.database.locks import TableLockedError, blockers_of, patiently
from convo_pipelines.database.statements import statement
from convo_pipelines.database.transactions import LOCK_TIMEOUT, PASSING_ERRORS, begin

_log = logging.getLogger(__name__)


@cache
def views() -> dict[str, schema.Definition]:
    """Return the definitions of the views on the application's tables, by name; in order of creation.

    Views on these views are among them.
    """
    defined = schema.definitions("analytics")
    bound: dict[str, schema.Definition] = {}
    for definition in defined.values():
        uses = schema.needed_by(definition, defined)
        if definition.kind == "view" and ("app." in definition.text or uses & {f"view {view}" for view in bound}):
            bound[definition.name] = definition
    return bound


def bind_views(connection: Connection) -> None:
    """Bind the views to the tables and columns that have the names now. Views that were dropped come back.

    Raises:
        TableLockedError: a view is read for longer than the attempts take.
        OtherVersionError: the database was upgraded meanwhile.

    """
    try:
        _bind_views(connection)
    except psycopg.errors.LockNotAvailable:
        raise TableLockedError(blockers_of(connection, is_any=True)) from None


def _bind_views(connection: Connection) -> None:
    is_any_missing = fetch_one(connection, "engine/binding/is_missing", views=list(views()))["is_any_missing"]
    for definition in views().values():
        _bind(connection, partial(schema.create_again, connection, "analytics", definition))
    for step in ("ownership", "grants") if is_any_missing else ():
        _bind(connection, partial(connection.execute, statement(f"database/roles/{step}")))


def bind_foreign_keys(connection: Connection) -> bool:
    """Drop foreign keys to former tables, add missing ones, and validate those that no row violates any more.

    Return whether all of that is done. What cannot be done now, for a lock or for rows that a tick has yet to delete,
    is left for the next time.
    """
    is_done = True
    for key in fetch(connection, "engine/binding/wrong_foreign_keys"):
        names = {"child": sql.Identifier("analytics", key["child"]), "name": sql.Identifier(key["name"])}
        try:
            if not key["is_right"]:
                bind = partial(execute, connection, "engine/binding/bind_foreign_key", name=key["name"])
                _bind(connection, bind)
            if key["is_wanted"]:
                _bind(connection, partial(execute, connection, "engine/binding/validate_foreign_key", names))
        except (*PASSING_ERRORS, psycopg.errors.InsufficientPrivilege) as error:
            _log.warning("the foreign key %s is left for the next tick: %s", key["name"], error_message(error))
            is_done = False
    return is_done


def use_foreign_keys(connection: Connection, *, is_wanted: bool) -> None:
    """Run with foreign keys to the application's tables, or without: then ticks delete what they would."""
    execute(connection, "engine/binding/use_foreign_keys", is_wanted=is_wanted)
    bind_foreign_keys(connection)


def _bind(connection: Connection, bind: Callable[[], object]) -> None:
    """Run a statement that binds something, in a transaction, one at a time in this database."""

    def attempt() -> None:
        with connection.transaction():
            begin(connection, None, "0")  # only other binders wait for this lock
            execute(connection, "database/session/lock", locks=["binding"], lock_timeout=LOCK_TIMEOUT)
            bind()

    patiently(attempt)
