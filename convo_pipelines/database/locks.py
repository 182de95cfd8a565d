"""Waiting for locks, and who holds them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch
from convo_pipelines.errors import ConvoPipelinesError

LOCK_ATTEMPTS = 5
LOCK_PAUSE_SECONDS = 0.05
NAMED_HOLDERS = 5


class TableLockedError(ConvoPipelinesError, psycopg.errors.LockNotAvailable):
    """Timed out waiting for a lock; the message names the blockers and the remedy."""


def patiently(step: Callable[[], object]) -> None:
    """Take a step that waits for a lock only shortly, because others queue behind its wait; try several times.

    Raises:
        psycopg.errors.LockNotAvailable: another session held the lock at every attempt.

    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            step()
        except psycopg.errors.LockNotAvailable:
            if attempt == LOCK_ATTEMPTS:
                raise
            time.sleep(LOCK_PAUSE_SECONDS * attempt)
        else:
            return


@dataclass(frozen=True)
class Blocker:
    """A transaction that holds, or waits for, a lock that prevents reading a table.

    Attributes:
        table: its name with its schema.
        since: when the transaction began, UTC; None if this role may not see it.
        text: the table, the session and what it waits for.
        remedy: what ends it.

    """

    table: str
    since: datetime | None
    text: str
    remedy: str


def blockers(connection: Connection, tables: Sequence[str] | None = None, *, is_any: bool = False) -> list[Blocker]:
    """Return the transactions that prevent reading `tables` of app, or any table; with `is_any`, altering it."""
    rows = fetch(connection, "database/blockers", tables=tables and list(tables), is_any=is_any)
    return [Blocker(row["table_name"], row["since"], _holder(row), f"let it end, or run {_end(row)}") for row in rows]


def blockers_of(connection: Connection, tables: Sequence[str] | None = None, *, is_any: bool = False) -> str:
    """Return which sessions hold locks that prevent reading `tables` of app, and the remedy.

    Without `tables`, when it is not known which lock was waited for: possible blockers on any table. With `is_any`,
    sessions that prevent altering a table.
    """
    holders = blockers(connection, tables, is_any=is_any)
    if not holders:
        named = f"app.{' or app.'.join(tables)}" if tables else "a table or row"
        return f"another session held a lock on {named}; try again"
    named = "; ".join(holder.text for holder in holders[:NAMED_HOLDERS])
    if tables is None:
        rest = f", and {len(holders) - NAMED_HOLDERS} more" if len(holders) > NAMED_HOLDERS else ""
        return f"timed out waiting for a lock; possible blockers: {named}{rest}; let them end, and try again"
    return f"{named}: {holders[0].remedy}"


def _holder(row: Row) -> str:
    locks = "is locked" if row["waits_for"] is None else "is about to be locked"
    by = f"the prepared transaction {row['prepared']!r}" if row["prepared"] else f"pid {row['pid']}"
    text = f"{row['table_name']} {locks} by {by} of {row['who'] or 'another role'}"
    if row["since"]:
        text += f" since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
    if not row["waits_for"]:
        return text
    [pid, *_] = row["waits_for"]
    return f"{text}, which waits for {f'pid {pid}' if pid else 'a prepared transaction'}"


def _end(row: Row) -> str:
    pid = row["waits_for"][0] if row["waits_for"] else row["pid"]
    if row["prepared"]:
        return f"rollback prepared '{row['prepared']}'"
    return f"select pg_terminate_backend({pid})" if pid else "rollback prepared (see pg_prepared_xacts)"
