"""Change data capture: the triggers that write the change log, and the detection of changes that bypass them."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg

from convo_pipelines.database import own_tables
from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_one, fetch_prepared, run_prepared
from convo_pipelines.database.locks import patiently
from convo_pipelines.database.rights import MissingRight, lacking_rights
from convo_pipelines.database.transactions import LOCK_TIMEOUT, PASSING_ERRORS, transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.readers import readers
from convo_pipelines.engine.registry import Registry
from convo_pipelines.errors import ConvoPipelinesError

NAMED_TABLES = 20
MIGRATION_SECONDS = 1.0
"""When a table is captured that could not be because a migration replaced what captures it at that moment."""
RETRY_SECONDS = 60
"""A table that all attempts found locked is tried again after so long, then after twice as long each time."""
TOGETHER_TABLES = 25
"""So many tables are captured in one transaction, which keeps writers waiting for some hundredths of a second."""
RIGHTS_SECONDS = 60
"""How often rights are looked at, if the catalog has not changed."""
LOOKS = 3
"""Capturing changes the catalog, so that it is compared again; tables may change in between."""

_log = logging.getLogger(__name__)


class CaptureError(ConvoPipelinesError):
    """A table is not read by the pipeline, or cannot be captured; the message names it and the remedy."""


def sync(warehouse: Warehouse, registry: Registry) -> None:
    """Compare the catalog with the stored state, and capture tables that are not captured.

    A table that is new, swapped, rewritten or lost its triggers is captured and logged as "everything of this table".
    So are new sources of a reader. Tables that cannot be
    captured are read by reconcile only. What is bound to a former table is bound to its successor: views before the
    table is read, foreign keys afterwards. Missing rights are warned of.
    """
    warehouse.columns.clear()
    with warehouse.connection() as connection:
        if time.monotonic() >= warehouse.rights_due:
            _warn_of_missing_rights(warehouse, connection, registry)
        for _ in range(LOOKS):
            [news] = fetch_prepared(connection, "engine/capture/news")
            if not news["is_any"]:
                return
            with transaction(connection):
                for table in registry:
                    hooks_of(table).before_exchange(connection)
            with suppress(*PASSING_ERRORS), transaction(connection):
                execute(connection, "database/session/lock", locks=["capture"], lock_timeout=LOCK_TIMEOUT)
                execute(connection, "engine/capture/marks")
            _settle(connection, fetch(connection, "engine/capture/differences", names=None))
            own_tables.note_redefined(connection)
            is_bound = binding.bind_foreign_keys(connection)
            _warn_of_missing_rights(warehouse, connection, registry)
            with suppress(*PASSING_ERRORS), transaction(connection):
                changed = [reader.sync(connection) for reader in readers(registry)]
                if is_bound and not any(changed):  # otherwise sources may have changed since the fingerprint was taken
                    execute(connection, "engine/capture/looked", fingerprint=news["fingerprint"])
            if not is_bound:
                return


def _warn_of_missing_rights(warehouse: Warehouse, connection: Connection, registry: Registry) -> None:
    """Warn of each right that was not missing at the look before."""
    missing = set(missing_rights(connection, registry))
    for right in sorted(missing - warehouse.missing, key=str):
        _log.warning("%s", right)
    warehouse.missing, warehouse.rights_due = missing, time.monotonic() + RIGHTS_SECONDS


def has_news(connection: Connection) -> bool:
    """Whether the catalog, or the sources of a reader, may have changed since `sync` compared them."""
    return fetch_prepared(connection, "engine/capture/news")[0]["is_any"]


def has_views(warehouse: Warehouse) -> bool:
    """Whether views of `app` are captured on the tables beneath, by functions that `adopt install` generated."""
    with warehouse.connection() as connection:
        return fetch_one(connection, "engine/capture/has_views")["has_views"]


def missing_rights(connection: psycopg.Connection[Any], registry: Registry) -> list[MissingRight]:
    """Return the rights that ticks need to read, to write and to log, and that are missing."""
    sources = {source for table in registry for source in table.sources}
    targets = {table.target.removeprefix("analytics.") for table in registry if table.target.startswith("analytics.")}
    return lacking_rights(connection, sorted(sources), sorted(targets))


def status(connection: Connection, table_name: str | None = None) -> list[Row]:
    """Return every table that is read, or one of them: table_name, mode, is_wanted, remark, next_attempt.

    Raises:
        CaptureError: the table is not read by the pipeline.

    """
    tables = fetch(connection, "engine/capture/status", names=table_name and [table_name])
    if table_name and not tables:
        raise _not_read([table_name], status(connection))
    return tables


def _not_read(names: Sequence[str], tables: Sequence[Row]) -> CaptureError:
    known = ", ".join(table["table_name"] for table in tables[:NAMED_TABLES])
    return CaptureError(f"{', '.join(names)}: not read by the pipeline; it reads {known}")


def switch(warehouse: Warehouse, registry: Registry, tables: Sequence[str], *, on: bool) -> None:
    """Switch the capture of tables on or off, each in a transaction; of all that are read, if none is named.

    Raises:
        CaptureError: a table is not read by the pipeline, or could not be captured.

    """
    with warehouse.connection() as connection:
        known = status(connection)
        all_names = [table["table_name"] for table in known]
        names = [name.rpartition(".")[2] for name in tables] or all_names
        if unknown := [name for name in names if name not in all_names]:
            raise _not_read(unknown, known)
        for name in names:
            execute(connection, "engine/capture/want", table_name=name, is_wanted=on)
            _settle(connection, fetch(connection, "engine/capture/differences", names=[name]))
            [now] = status(connection, name)
            if on and now["mode"] != "captured":
                raise CaptureError(f"{name} could not be captured: {now['remark'] or 'it does not exist'}")
        if on and (failures := missing_rights(connection, registry)):
            raise CaptureError("; ".join(map(str, failures)))


def _settle(connection: Connection, tables: Sequence[Row]) -> None:
    """Bind views to tables that have taken a name, then capture and remember the tables."""
    if any(table["is_exchanged"] for table in tables):
        binding.bind_views(connection)
    captured = _install_together(connection, tables)
    remarks: list[tuple[str | None, float | None]] = []
    for table in tables:
        failed = None if table["table_oid"] in captured else _install(connection, table)
        remark, retry_seconds = failed or (None if table["is_wanted"] else "switched off", None)
        remarks.append((remark, retry_seconds))
        if remark:
            _log.warning("%s is not captured, so only reconcile reads it: %s", table["name"], remark)
    if tables:
        run_prepared(
            connection,
            "engine/capture/remember",
            names=[table["name"] for table in tables],
            oids=[table["table_oid"] for table in tables],
            columns=[table["columns"] for table in tables],
            remarks=[remark for remark, _ in remarks],
            retry_seconds=[seconds for _, seconds in remarks],
        )


def _install_together(connection: Connection, tables: Sequence[Row]) -> set[int]:
    """Create the triggers of new histories tables, several at once; return the oids of those that have them now.

    The others are left to be captured one by one: they are more than plain tables, or one of them is locked.
    """
    new = [table["table_oid"] for table in tables if table["is_histories"] and table["is_wanted"] and _is_new(table)]
    captured = set[int]()
    for first in range(0, len(new), TOGETHER_TABLES):
        oids = new[first : first + TOGETHER_TABLES]
        with suppress(psycopg.Error):
            captured |= {row["oid"] for row in fetch(connection, "engine/capture/install_together", table_oids=oids)}
    return captured


def _is_new(table: Row) -> bool:
    return table["table_oid"] is not None and not (table["obstacle"] or table["is_captured"] or table["has_others"])


def _install(connection: Connection, table: Row) -> tuple[str, float | None] | None:
    """Create the triggers of a table, or drop them; return why that failed, and after how many seconds to retry."""
    steps: list[str] = []
    if table["table_oid"] is not None and table["obstacle"] is None:
        if table["has_others"] or not table["is_wanted"]:
            steps.append("remove")
        if table["is_wanted"] and (table["has_others"] or not table["is_captured"]):
            steps.append("install")
    failures = [failure for step in steps if (failure := _failure(connection, f"engine/capture/{step}", table))]
    return failures[-1] if failures else None


def _failure(connection: Connection, name: str, table: Row) -> tuple[str, float | None] | None:
    """Run the statement `name` for a table; return why it failed, and after how many seconds a retry may succeed."""
    try:
        patiently(partial(execute, connection, name, table_oid=table["table_oid"]))
    except psycopg.errors.LockNotAvailable:
        return "it is locked by another session; capturing is retried", RETRY_SECONDS
    except psycopg.errors.InsufficientPrivilege as error:
        return f"{error.diag.message_primary}; its owner can run `convo-pipelines capture on {table['name']}`", None
    except psycopg.Error as error:
        is_replaced = isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction))
        return str(error.diag.message_primary or error), MIGRATION_SECONDS if is_replaced else RETRY_SECONDS
    return None
