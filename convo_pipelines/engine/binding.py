"""Views and foreign keys on the application's tables, bound anew after an exchange by rename.

Statements find a table by its name. PostgreSQL binds views and foreign keys to the table and the columns that had the
names when they were created. After the application exchanges a table or a column by rename, they are created anew,
before anything is read: views from their definitions in `sql/schema/`, whose columns keep their types.
"""

import logging
import re
from collections.abc import Callable
from functools import cache, partial
from graphlib import TopologicalSorter
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from convo_pipelines.database.statements import names, source, statement
from convo_pipelines.database.warehouse import (
    LOCK_TIMEOUT,
    PASSING_ERRORS,
    Connection,
    TableLockedError,
    begin,
    blockers_of,
    error_message,
    execute,
    fetch,
    fetch_one,
    patiently,
)

_log = logging.getLogger(__name__)


@cache
def views() -> dict[str, str]:
    """Return the definitions of the views on the application's tables, with their comments; in order of creation.

    Views on these views are among them.
    """
    all_views: dict[str, str] = {}
    for name in names("schema/analytics"):
        all_views |= _views_of(source(name))
    uses = {
        view: {other for other in all_views if other != view and re.search(rf"{re.escape(other)}\b", text)}
        for view, text in all_views.items()
    }
    bound: set[str] = set()
    for view in TopologicalSorter(uses).static_order():
        if "app." in all_views[view] or uses[view] & bound:
            bound.add(view)
    return {view: all_views[view] for view in TopologicalSorter(uses).static_order() if view in bound}


def _views_of(definitions: str) -> dict[str, str]:
    """Return the statements that create each view and its comments."""
    statements: dict[str, list[str]] = {}
    for text in re.split(r"(?<=;)\n+", definitions):
        if made := re.match(r"(?:create|comment on) (?:view|column) (analytics\.\w+)", text):
            statements.setdefault(made[1], []).append(text)
    return {view: "\n".join(texts) for view, texts in statements.items() if texts[0].startswith("create view ")}


def bind_views(connection: Connection) -> None:
    """Bind the views to the tables and columns that have the names now. Views that were dropped come back.

    Raises:
        TableLockedError: a view is read for longer than the attempts take.

    """
    try:
        _bind_views(connection)
    except psycopg.errors.LockNotAvailable:
        raise TableLockedError(blockers_of(connection, is_any=True)) from None


def _bind_views(connection: Connection) -> None:
    is_any_missing = fetch_one(connection, "engine/binding/is_missing", views=list(views()))["is_any_missing"]
    for text in views().values():
        definition = sql.SQL(cast("LiteralString", text.replace("create view", "create or replace view", 1)))
        _bind(connection, partial(connection.execute, definition))
    for step in ("ownership", "grants") if is_any_missing else ():
        _bind(connection, partial(connection.execute, statement(f"migrations/{step}")))


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
