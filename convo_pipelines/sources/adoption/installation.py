"""Installation, release and restoration of the views: changes in one transaction, while followers pause."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch, identifier
from convo_pipelines.database.locks import TableLockedError, blockers_of, patiently
from convo_pipelines.database.migrations import record, upgrade
from convo_pipelines.database.rights import grant_roles
from convo_pipelines.database.statements import trusted
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding, capture, leases
from convo_pipelines.model.tables import REGISTRY
from convo_pipelines.sources.adoption import triggers
from convo_pipelines.sources.adoption.creation import create_views, views_of_ours
from convo_pipelines.sources.adoption.files import AdoptionError
from convo_pipelines.sources.adoption.triggers import Adopted

Changed = TypeVar("Changed")


def install(warehouse: Warehouse, file: Path | None) -> list[Adopted]:
    """Create the views of a file, and whatever is missing of `app` and `analytics`, and capture the tables beneath.

    Args:
        warehouse: of the role that owns the schemas, and may create triggers on the tables beneath.
        file: statements `create or replace view app.…`, every name qualified; None: the views that are there.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    if not any(migration.applied for migration in record.status(warehouse.url) if migration.line == "analytics"):
        upgrade.up(url=warehouse.url)

    def create(connection: Connection) -> None:
        if file is None:
            _require_views(connection)
        create_views(connection, file)

    def adopt(connection: Connection) -> list[Adopted]:
        adopted = triggers.adopt(connection)
        grant_roles(connection)
        return adopted

    _change(warehouse, create)
    with warehouse.connection() as connection:
        binding.bind_views(connection)
    adopted = _change(warehouse, adopt)
    capture.sync(warehouse, REGISTRY)
    return adopted


def release(warehouse: Warehouse) -> list[str]:
    """Drop the views, so that the tables beneath can be altered; return their names.

    Raises:
        AdoptionError: there are none, or something else reads one; nothing was changed.

    """

    def drop(connection: Connection) -> list[str]:
        found = fetch(connection, "sources/adoption/described", names=None)
        released = [view["table_name"] for view in found]
        if not released:
            raise AdoptionError(
                "schema app has no views; `convo-pipelines adopt restore` makes those that were released"
            )
        execute(
            connection,
            "sources/adoption/release",
            names=released,
            statements=[";\n".join([view["definition"], *view["rights"]]) for view in found],
        )
        execute(connection, "sources/adoption/release_former", views=[])
        triggers.drop_former_functions(connection)
        drops = {name: sql.SQL("drop view {}").format(sql.Identifier("app", name)) for name in released}
        ours = {name: sql.SQL("drop view if exists {}").format(identifier(name)) for name in views_of_ours()}
        if failures := _in_any_order(connection, ours | drops):
            raise AdoptionError("; ".join(map(_explained, failures.values())))
        return released

    return _change(warehouse, drop)


def restore(warehouse: Warehouse) -> list[Adopted]:
    """Make the views again that were dropped by `release`, with their rights, and capture the tables beneath.

    Raises:
        AdoptionError: none were released, or one cannot be made any more; nothing was changed.

    """

    def make(connection: Connection) -> None:
        rows = fetch(connection, "sources/adoption/released")
        if not rows:
            raise AdoptionError("no views are released")
        failures = _in_any_order(connection, {row["table_name"]: trusted(row["statements"]) for row in rows})
        if failures:
            [name, error] = next(iter(failures.items()))
            raise AdoptionError(
                f"app.{name} cannot be made again: {error.diag.message_primary}; change it in the file of views, and "
                "run `convo-pipelines adopt install FILE`"
            )
        connection.execute("delete from analytics.released_views")

    _change(warehouse, make)
    return install(warehouse, None)


def _require_views(connection: Connection) -> None:
    """Check that there are views, and that each reads the tables that have the names.

    Raises:
        AdoptionError: there are none, or a table beneath was exchanged.

    """
    if not fetch(connection, "sources/adoption/described", names=None):
        raise AdoptionError("schema app has no views: run `convo-pipelines adopt install FILE`")
    if exchanged := fetch(connection, "sources/adoption/exchanged"):
        read = "; ".join(f"app.{row['table_name']} reads what was {row['known_name']}" for row in exchanged)
        raise AdoptionError(f"{read} before that was exchanged: run `convo-pipelines adopt install FILE`")


def _in_any_order(connection: Connection, statements: Mapping[str, sql.Composable]) -> dict[str, psycopg.Error]:
    """Run statements of which some need others; return the errors of those that never succeed.

    Raises:
        psycopg.errors.LockNotAvailable: another session holds a lock on what one of them changes.

    """
    left = dict(statements)
    while True:
        failures: dict[str, psycopg.Error] = {}
        for name, text in left.items():
            try:
                with connection.transaction():
                    connection.execute(sql.Composed([text]))
            except psycopg.errors.LockNotAvailable:
                raise
            except psycopg.Error as error:
                failures[name] = error
        if not failures or len(failures) == len(left):
            return failures
        left = {name: left[name] for name in failures}


def _explained(error: psycopg.Error) -> str:
    return ": ".join(filter(None, (error.diag.message_primary, error.diag.message_detail)))


def _change(warehouse: Warehouse, change: Callable[[Connection], Changed]) -> Changed:
    """Change the views while followers pause; if a table is locked, try again.

    Raises:
        TableLockedError: another session held a lock at every attempt; the message names it.

    """
    done: list[Changed] = []

    def attempt() -> None:
        with warehouse.connection() as connection, _changing(connection):
            done.append(change(connection))

    with leases.followers_paused(warehouse, REGISTRY):
        try:
            patiently(attempt)
        except psycopg.errors.LockNotAvailable:
            with warehouse.connection() as connection:
                raise TableLockedError(blockers_of(connection, is_any=True)) from None
    return done[-1]


@contextmanager
def _changing(connection: Connection) -> Generator[None]:
    """Change the views in one transaction, one process at a time; every name in it is qualified.

    Raises:
        AdoptionError: a right is missing.
        psycopg.errors.LockNotAvailable: another session holds a lock on a view or a table beneath.

    """
    try:
        with connection.transaction():
            execute(connection, "database/session/lock", locks=["adoption"], lock_timeout="5s")
            yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise AdoptionError(
            f"{error.diag.message_primary}: connect as the role that owns schema app, its views and the tables beneath"
        ) from None
