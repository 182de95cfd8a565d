"""The change log (a transactional outbox, written by triggers), and the snapshots by which it is read.

A table's watermark is a `pg_snapshot`. Its tick reads the changes of transactions that are visible now and were not in
that snapshot: PostgreSQL's own definition of "committed since". So late commits, long transactions, rollbacks and
clocks need no special care.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import (
    error_message,
    execute,
    fetch,
    fetch_one,
    fetch_prepared,
    query_prepared,
    run_prepared,
)
from convo_pipelines.database.statements import fragment
from convo_pipelines.database.transactions import LOCK_TIMEOUT, PASSING_ERRORS, begin, transaction
from convo_pipelines.database.warehouse import MANY_ROWS, Warehouse
from convo_pipelines.engine import logs
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.registry import DerivedTable, Registry
from convo_pipelines.engine.scopes import EVERYTHING, Changes, Scope
from convo_pipelines.errors import ConvoPipelinesError

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""The histogram of seconds until changes are visible."""
ATTEMPTS = 5
LARGEST_LOG_ROWS = 10_000_000
LARGEST_LOG_ROWS_FOR_LAKE = LARGEST_LOG_ROWS // 2
_TRIM_LOCK = "change_log"

_log = logging.getLogger(__name__)


class ChangesError(ConvoPipelinesError):
    """The log cannot be read on this server; the message names the reason and the remedy."""


@dataclass(frozen=True)
class Watermark:
    """How far a table has read the log.

    Attributes:
        snapshot: a pg_snapshot as text; None: the table has not been built.
        taken_at: when it was taken, UTC.
        xid: the transaction of this process that stored it.
        is_left: whether that transaction logged something that the next tick of the table has to do.

    """

    snapshot: str | None
    taken_at: datetime | None
    xid: str | None = None
    is_left: bool = False


@dataclass(frozen=True)
class LogPosition:
    """A table's watermark in the log, and a snapshot of now.

    Attributes:
        table: the table.
        since: the watermark.
        to_snapshot: the snapshot of now, which becomes the watermark when everything up to it has been read.
        taken_at: when it was taken, UTC.
        crash_token: what the server has until it crashes. Then snapshots are meaningless: it gives transaction ids out
            again whose commits were lost.
        operations: the changes that the table follows and that were logged in between: `<source> <operation>`.
        is_everything: whether a table that it follows has to be read as a whole.
        written_at: when the oldest of them was made; at the earliest, when the watermark was taken.

    """

    table: DerivedTable
    since: Watermark
    to_snapshot: str
    taken_at: datetime
    crash_token: UUID
    operations: frozenset[str]
    is_everything: bool
    written_at: datetime | None

    @classmethod
    def of(cls, table: DerivedTable, since: Watermark, now: "Seen", operations: Iterable[str]) -> "LogPosition":
        """Return the position that a look at everything showed."""
        return cls(table, since, now.to_snapshot, now.taken_at, now.crash_token, frozenset(operations), False, None)

    @property
    def from_snapshot(self) -> str | None:
        """The snapshot of the watermark; None if the table has not been built."""
        return self.since.snapshot

    @property
    def scope(self) -> Scope:
        """What a tick has to refresh."""
        return (
            EVERYTHING
            if self.from_snapshot is None or self.is_everything
            else Changes(self.from_snapshot, self.to_snapshot)
        )

    @property
    def has_news(self) -> bool:
        """Whether the log has changes for a tick to read."""
        return self.from_snapshot is None or bool(self.operations)

    @property
    def may_have_deleted(self) -> bool:
        """Whether the log may have deletions that have to be recorded before it is trimmed."""
        is_any = self.from_snapshot is None or self.is_everything
        return is_any or bool(self.operations & hooks_of(self.table).deletions)


def look(connection: Connection, table: DerivedTable, to_snapshot: str | None = None) -> LogPosition:
    """Return a table's watermark, a snapshot of now (or the given one), and whether changes were logged in between.

    Raises:
        ChangesError: the server is a standby, which lists no running transactions.

    """
    since = watermark(connection, table)
    now = _now(connection, "engine/change_log/look", asset_key=table.name)
    now["to_snapshot"] = to_snapshot or now["to_snapshot"]
    since = Watermark(now["from_snapshot"], since.taken_at)
    news: Row = {"operations": [], "is_everything": True, "written_at": None}
    if since.snapshot:
        news = _news(connection, table, since, now["to_snapshot"])
    return position(table, since, now | news)


def has_news(connection: Connection, table: DerivedTable, since: Watermark, to_snapshot: str) -> bool:
    """Return whether changes that a table follows were logged between its watermark and a snapshot."""
    return since.snapshot is None or bool(_news(connection, table, since, to_snapshot)["operations"])


def _news(connection: Connection, table: DerivedTable, since: Watermark, to_snapshot: str) -> Row:
    span = {"from_snapshot": since.snapshot, "to_snapshot": to_snapshot, "snapshot_at": since.taken_at}
    [news] = query_prepared(connection, _news_of(table), span)
    return news


@cache
def _news_of(table: DerivedTable, *, is_whole: bool = False) -> bytes:
    return fragment("engine/change_log/news").format(changes=logs.changes(table, is_whole=is_whole)).as_bytes()


def is_everything_new(connection: Connection, table: DerivedTable, since: str, to_snapshot: str) -> bool:
    """Return whether a source of a table has to be read as a whole, by changes between two snapshots."""
    span = {"from_snapshot": since, "to_snapshot": to_snapshot, "snapshot_at": None}
    [news] = query_prepared(connection, _news_of(table, is_whole=True), span)
    return news["is_everything"]


@dataclass(frozen=True)
class Seen:
    """What a look at everything showed.

    Attributes:
        to_snapshot: the snapshot of now.
        taken_at: when it was taken, UTC.
        crash_token: see LogPosition.
        operations: what was logged since the look before: `<source> <operation>`.
        leases: by table: `holder`, or None; `is_wanted`: whether another process waits for it.

    """

    to_snapshot: str
    taken_at: datetime
    crash_token: UUID
    operations: frozenset[str]
    leases: Mapping[str, Row]

    def of(self, table: DerivedTable) -> set[str]:
        """Return the changes that a table follows."""
        follows = {*table.follows, *(f"{followed.partition(' ')[0]} beneath" for followed in table.follows)}
        return {change for change in self.operations if change in follows or change.rpartition(" ")[0] in follows}


def look_at_all(connection: Connection, since: str | None, own: Sequence[str] = ()) -> Seen:
    """Return what was logged since a snapshot, and the leases.

    Args:
        connection: where to look.
        since: that snapshot; None: nothing is looked for.
        own: transactions whose changes are left out.

    """
    row = _now(connection, "engine/change_log/look_at_all", since=since, own=list(own))
    operations = frozenset[str](row["operations"] or ())
    return Seen(row["to_snapshot"], row["taken_at"], row["crash_token"], operations, row["leases"] or {})


def _now(connection: Connection, name: str, **parameters: object) -> Row:
    found = fetch_prepared(connection, name, **parameters)
    while not found:
        execute(connection, "engine/change_log/renew_token")
        found = fetch_prepared(connection, name, **parameters)
    return found[0]


def store_idle(connection: Connection, watermarks: Mapping[str, Watermark], now: Seen | LogPosition) -> list[str]:
    """Move the watermarks of tables that have read all that a look showed; return those that moved."""
    moved = fetch_prepared(
        connection,
        "engine/change_log/store_idle",
        asset_keys=list(watermarks),
        from_snapshots=[watermark.snapshot for watermark in watermarks.values()],
        to_snapshot=now.to_snapshot,
        taken_at=now.taken_at,
        crash_token=now.crash_token,
    )
    return [row["asset_key"] for row in moved]


def position(table: DerivedTable, since: Watermark, news: Row) -> LogPosition:
    """Return where a table's watermark, and what was logged since, leave it."""
    return LogPosition(
        table,
        since,
        news["to_snapshot"],
        news["taken_at"],
        news["crash_token"],
        frozenset(news["operations"] or ()),
        news["is_everything"],
        news["written_at"],
    )


def watermark(connection: Connection, table: DerivedTable) -> Watermark:
    """Return a table's watermark; see `watermarks`."""
    return watermarks(connection, [table])[table.name]


def watermarks(connection: Connection, tables: Sequence[DerivedTable]) -> dict[str, Watermark]:
    """Return the watermark of each table, by its name.

    Raises:
        ChangesError: the server is a standby, which lists no running transactions.

    """
    states = _states(connection, tables)
    return {name: Watermark(state["from_snapshot"], state["snapshot_at"]) for name, state in states.items()}


def oldest(snapshots: Iterable[str]) -> str:
    """Return the snapshot in which only what is visible in all of these is visible."""
    parsed = [snapshot.split(":") for snapshot in snapshots]
    xmax = min(int(upper) for _, upper, _ in parsed)
    xids = {int(xid) for _, _, running in parsed for xid in running.split(",") if xid and int(xid) < xmax}
    return f"{min(xids, default=xmax)}:{xmax}:{','.join(map(str, sorted(xids)))}"


def require_no_crash(connection: Connection, at: LogPosition) -> None:
    """Check, on a new connection, that a snapshot still means something: a crash ends the connections before it.

    Raises:
        ChangesError: the server has crashed since.

    """
    if not fetch_one(connection, "engine/change_log/is_same_token", crash_token=at.crash_token)["is_same"]:
        raise ChangesError("the server crashed after this run began: the next tick reads the same changes")


def unread_since(connection: Connection, table: DerivedTable) -> str | None:
    """Return the snapshot since which the table has not read changes; None before its first build."""
    return _state(connection, table)["from_snapshot"]


class DefinitionError(ConvoPipelinesError):
    """A table was defined anew since this process began; nothing was changed."""


def require_definition(table: DerivedTable, in_force: str | None) -> None:
    """Check that the definition in force is the one that this process knows, under the lock of the table.

    Raises:
        DefinitionError: it is another.

    """
    if (in_force or "") != table.definition:
        if depends := (in_force or "").partition(" ")[2]:
            raise DefinitionError(
                f"{depends}, which {table.name} reads, was redefined: run `convo-pipelines table apply {table.name}`"
            )
        raise DefinitionError(
            f"{table.name} was defined anew by `convo-pipelines table apply`, or CONVO_TABLES was other folders there: "
            "restart this process with these folders as they are; if an apply was interrupted, run it again"
        )


def definition(connection: Connection, table: DerivedTable) -> str | None:
    """Return the definition of a table that is in force; None: there is none."""
    rows = fetch(connection, "engine/change_log/definition", asset_key=table.name)
    return rows[0]["definition"] if rows else None


def _state(connection: Connection, table: DerivedTable) -> Row:
    """Return a table's row of refresh_state."""
    return _states(connection, [table])[table.name]


def _states(connection: Connection, tables: Sequence[DerivedTable]) -> dict[str, Row]:
    """Return rows of refresh_state. Call it before they are written: that marks them as this server's."""
    asked = [table.name for table in tables]

    def read() -> dict[str, Row]:
        return {
            row["asset_key"]: row for row in fetch_prepared(connection, "engine/change_log/position", asset_keys=asked)
        }

    states = read()
    if any(state["is_standby"] for state in states.values()):
        raise ChangesError("the server is a standby, whose snapshots list no running transactions: use the primary")
    changed = [table for table in tables if _is_other(states.get(table.name), table)]
    for table in changed:
        execute(
            connection,
            "engine/change_log/ensure",
            asset_key=table.name,
            follows=list(table.follows),
            version=hooks_of(table).version,
        )
    if changed:
        states |= {name: state for name, state in read().items() if name not in states}
    if not all(state["is_ours"] for state in states.values()):
        _forget_all(connection, tables[0].registry)
        states = read()
    return states


def _is_other(state: Row | None, table: DerivedTable) -> bool:
    """Whether a row of refresh_state is missing, or says other logs or another version than this process knows."""
    return state is None or (state["follows"], state["version"]) != (list(table.follows), hooks_of(table).version)


def _forget_all(connection: Connection, registry: Registry) -> None:
    _log.warning("the database was restored from another server: emptying the logs, rebuilding every table")
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        begin(connection, None, LOCK_TIMEOUT)
        _keep_what_only_logs_know(connection, registry)
        for log in registry.logs.values():
            execute(connection, "engine/change_log/forget", {"log": sql.Identifier("analytics", log.name)})
        execute(connection, "engine/change_log/forget_all")


def _keep_what_only_logs_know(connection: Connection, registry: Registry) -> None:
    """Record deletions that only the logs contain, before the logs are emptied."""
    for table in registry:
        hooks_of(table).before_emptying(connection)


def begin_build(connection: Connection, table: DerivedTable) -> LogPosition:
    """Pin log retention, then take the snapshot that becomes the watermark once everything has been read."""
    execute(connection, "engine/change_log/begin_build", asset_key=table.name)
    return look(connection, table)


def store(connection: Connection, at: LogPosition) -> Watermark | None:
    """Move the watermark to the snapshot of `at`; return None if another run has moved it, or the server crashed.

    Keys that were left undone must have been logged for retry in this or an earlier transaction. Deletions that only
    the log contains are recorded in this one.
    """
    is_left = at.may_have_deleted and hooks_of(at.table).before_store(connection, at.from_snapshot)
    moved = query_prepared(
        connection,
        _store_of(at.table),
        {
            "asset_key": at.table.name,
            "from_snapshot": at.from_snapshot,
            "to_snapshot": at.to_snapshot,
            "taken_at": at.taken_at,
            "crash_token": at.crash_token,
            "snapshot_at": at.since.taken_at,
            "bounds": list(BOUNDS),
        },
    )
    return Watermark(at.to_snapshot, at.taken_at, moved[0]["xid"], is_left) if moved else None


@cache
def _store_of(table: DerivedTable) -> bytes:
    return fragment("engine/change_log/store").format(changes=logs.changes(table, with_retries=False)).as_bytes()


def finish(connection: Connection, at: LogPosition, log_retries: Callable[[], None] = lambda: None) -> Watermark | None:
    """Move the watermark, in the transaction that logs retries; return it.

    If rows are locked, another run has moved it or the server crashed meanwhile, it stays, and the next tick reads the
    same changes: then it returns None.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if at.may_have_deleted:
                hooks_of(at.table).before_finish(connection, at.from_snapshot)
            with transaction(connection):
                log_retries()
                moved = store(connection, at)
                if moved is None:
                    raise psycopg.Rollback
        except PASSING_ERRORS as error:
            _log.info("the watermark of %s is retried: %s", at.table.name, error_message(error))
            time.sleep(0.05 * attempt)
        else:
            if moved:
                return moved
            break
    _log.warning("the watermark of %s stays: the next tick reads the same changes", at.table.name)
    return None


def record_failure(warehouse: Warehouse, tables: Sequence[str], error: Exception) -> None:
    """Store why ticks of these tables failed, until they succeed; if the database is away, nothing."""
    is_known = isinstance(error, (psycopg.Error, ConvoPipelinesError))
    message = (
        error_message(error) if is_known else f"{type(error).__name__}: see the traceback in the log of {process()}"
    )
    with suppress(psycopg.Error), warehouse.connection() as connection:
        run_prepared(connection, "engine/change_log/failed", asset_keys=list(tables), error=message)


def trim(connection: Connection, registry: Registry) -> None:
    """Delete changes that all tables and the lake have read; vacuum logs that had many, collapse those too large."""
    with connection.transaction():
        if not _is_mine(connection):
            return
        tables = [table.name for table in registry if hooks_of(table).deletions]
        names = [log.name for log in registry.logs.values()]
        most = LARGEST_LOG_ROWS_FOR_LAKE
        [found] = fetch_prepared(
            connection, "engine/change_log/bound", tables=tables, logs=names, largest_for_lake=most
        )
        span = {"bound": found["bound"], "trimmed_below": found["trimmed_below"]}
        trimmed = query_prepared(connection, logs.trim(registry), span)
    for row in trimmed:
        if row["rows"] >= MANY_ROWS:  # ticks would read what is dead until autovacuum comes by
            log = sql.Identifier("analytics", row["log"])
            connection.execute_alone(sql.SQL("vacuum (analyze, skip_locked) {}").format(log))
    if found["largest"] > LARGEST_LOG_ROWS:
        _collapse(connection, registry)


def _is_mine(connection: Connection) -> bool:
    """Take the lock of trimming for the open transaction; return False if another transaction holds it."""
    lock = "select pg_try_advisory_xact_lock(hashtextextended(%s, 0)) as is_mine"
    return connection.execute(lock, [_TRIM_LOCK]).fetchall()[0]["is_mine"]


def _collapse(connection: Connection, registry: Registry) -> None:
    """Replace the logs by "everything of every table", unless another session does; if it fails, the next tick does."""
    with suppress(*PASSING_ERRORS), connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        if not _is_mine(connection):
            return
        _log.warning("a change log has more than %d rows: emptying the logs and reading every table", LARGEST_LOG_ROWS)
        begin(connection, None, LOCK_TIMEOUT)
        _keep_what_only_logs_know(connection, registry)
        found = registry.logs
        for log in found.values():
            execute(connection, "engine/change_log/empty", {"log": sql.Identifier("analytics", log.name)})
        execute(connection, "engine/change_log/collapse", sources=[*found])
    names = sql.SQL(", ").join(sql.Identifier("analytics", log.name) for log in registry.logs.values())
    connection.execute(sql.SQL("analyze {}").format(names))


def process() -> str:
    """Return `HOST:PID` of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"
