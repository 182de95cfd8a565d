"""refresh(scope): which keys, recompute them completely, make the table equal, pass it on; chunk by chunk.

Each chunk is a transaction under the table's advisory lock. It compares first, and locks what it writes last: what the
application has locked is left for the next tick, and what it may have to wait for takes less than a second.
The same statements serve ticks, backfills and reconcile; the caller only chooses the scope.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg import sql

from convo_pipelines.database.statements import exists
from convo_pipelines.database.warehouse import (
    LOCK_TIMEOUT,
    PASSING_ERRORS,
    Connection,
    Counts,
    Identifiers,
    Row,
    TableLockedError,
    Warehouse,
    begin,
    execute,
    fetch_one,
    refreshing,
)
from convo_pipelines.engine import capture, change_log, oddities, participants
from convo_pipelines.engine.change_log import Lease
from convo_pipelines.engine.chunks import Size, TooSlowError
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.registry import CREW_CONVERSATIONS, PARTICIPANT_RESOLUTIONS, DerivedTable
from convo_pipelines.engine.scopes import (
    EVERYTHING,
    Changes,
    Everything,
    Narrowing,
    Scope,
    Sessions,
    Window,
    parameters,
)
from convo_pipelines.settings import settings

CHUNK_KEYS = 5_000

_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What a refresh did: rows by what was done to them, UTC days of activity of those rows, and keys looked at.

    `drift` counts changed rows that no unread change in the log accounts for; only reconcile asks for it. `odd` are
    rows that were left out or read otherwise than written, `locked` those that were left for the next tick.
    """

    counts: Counts = field(default_factory=Counts)
    drift: Counts = field(default_factory=Counts)
    days: set[date] = field(default_factory=set[date])
    odd: Oddities = field(default_factory=Oddities)
    keys: int = 0
    locked: int = 0
    is_skipped: bool = False

    def add(self, other: "Outcome") -> None:
        """Add what another chunk did."""
        self.counts += other.counts
        self.drift += other.drift
        self.days |= other.days
        self.odd.add(other.odd)
        self.keys += other.keys
        self.locked += other.locked


@dataclass(frozen=True)
class Work:
    """What every chunk of one refresh needs to know.

    Attributes:
        table: what is refreshed.
        unread_since: what may still await the table was logged since this snapshot; None: nothing is known.
        is_tick: whether the schedule's tick asks.
        narrowing: only these crews and clients, or None.
        counts_drift: whether to tell drift from changes that no tick has read yet.
        lease: renewed by each chunk, if there is one.

    """

    table: DerivedTable
    unread_since: str | None
    is_tick: bool = False
    narrowing: Narrowing | None = None
    counts_drift: bool = False
    lease: Lease | None = None


def tick(warehouse: Warehouse, table: DerivedTable, narrowing: Narrowing | None = None) -> Outcome:
    """Refresh what changed since the table's last tick, and move its watermark.

    A table without a watermark is built first: everything, once. Narrowed, the watermark stays.

    Raises:
        ChangesError: the log cannot be read on this server.

    """
    with change_log.lease(warehouse, table) as lease:
        if lease is None:
            return Outcome(is_skipped=True)
        with warehouse.connection() as connection:
            at = change_log.look(connection, table)
            outcome = Outcome()
            if at.seen is None and narrowing is None:
                return _build(warehouse, table, lease)
            work = Work(table, at.unread_since, is_tick=True, narrowing=narrowing, lease=lease)
            if at.has_news:
                outcome.add(_chunks(connection, work, at.scope))
            if table.has_days and capture.uncaptured(connection, table.follows):
                outcome.add(_chunks(connection, work, Window.last_two_days()))
            if narrowing is None:
                change_log.finish(connection, at)
            oddities.note(connection, table.name, {None: outcome.odd})
        warehouse.analyze(table.target, outcome.counts)
    return outcome


def backfill(warehouse: Warehouse, table: DerivedTable, window: Window, narrowing: Narrowing | None = None) -> Outcome:
    """Refresh a window. One that holds all there is of a table without a watermark is its first build."""
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        is_whole = narrowing is None and (not table.has_days or _holds_all(connection, window))
        if is_whole and at.seen is None:
            with change_log.lease(warehouse, table) as lease:
                if lease:
                    return _build(warehouse, table, lease)
        work = Work(table, at.unread_since, narrowing=narrowing)
        outcome = _chunks(connection, work, EVERYTHING if is_whole or not table.has_days else window)
        oddities.note(connection, table.name, {None: outcome.odd})
    warehouse.analyze(table.target, outcome.counts)
    return outcome


def read_sessions(warehouse: Warehouse, table: DerivedTable, asked: Sessions) -> Outcome:
    """Refresh what is derived from these sessions, whatever the log says; the watermark stays."""
    with warehouse.connection() as connection:
        return _chunks(connection, Work(table, change_log.unread_since(connection, table)), asked)


def compare(warehouse: Warehouse, table: DerivedTable, progress: Callable[[int], object]) -> Outcome:
    """Refresh everything, and count as drift what no unread change accounts for.

    Args:
        warehouse: the database.
        table: what to compare with its sources.
        progress: called with the number of keys done since the last call.

    """
    with warehouse.connection() as connection:
        at = change_log.look(connection, table)
        outcome = _chunks(connection, Work(table, at.unread_since, counts_drift=True), EVERYTHING, progress)
        oddities.note(connection, table.name, {None: outcome.odd}, is_all=True)
    return outcome


def _build(warehouse: Warehouse, table: DerivedTable, lease: Lease) -> Outcome:
    with warehouse.connection() as connection:
        at = change_log.begin_build(connection, table)
        outcome = _chunks(connection, Work(table, at.unread_since, lease=lease), EVERYTHING)
        change_log.finish(connection, at)
        oddities.note(connection, table.name, {None: outcome.odd}, is_all=True)
    warehouse.analyze(at.table.target, outcome.counts)
    return outcome


def _holds_all(connection: Connection, window: Window) -> bool:
    span = fetch_one(connection, "engine/refresh/span")
    return span["first"] is None or window.start <= span["first"] <= span["last"] < window.end


def _chunks(
    connection: Connection, work: Work, scope: Scope, progress: Callable[[int], object] = lambda _keys: None
) -> Outcome:
    outcome, after, size = Outcome(), None, Size(CHUNK_KEYS)
    while True:
        try:
            chunk, last = _chunk(connection, work, scope, after, size)
        except (*PASSING_ERRORS, TooSlowError, TableLockedError) as error:
            size.give_way(error)
            continue
        outcome.add(chunk)
        progress(chunk.keys)
        if chunk.keys < size.rows:
            return outcome
        after = last
        size.grow()


def _chunk(
    connection: Connection, work: Work, scope: Scope, after: str | None, size: Size
) -> tuple[Outcome, str | None]:
    table = work.table
    with refreshing(connection, [table.name], table.sources):
        with size.choose():
            chosen = parameters(scope, work.narrowing, after, size.rows) | {"unread_since": work.unread_since}
            found = choose_keys(connection, _keys_of(table, scope), **chosen)
        chunk = Outcome()
        if found["keys"]:
            with size.refresh():
                compared = _compare(connection, work, scope)
                drift = _drift(connection, work, compared) if work.counts_drift else Counts()
                chunk = write(connection, table, compared, size, unread_since=work.unread_since)
            chunk.keys, chunk.drift = found["keys"], drift
        if work.lease:
            work.lease.renew(connection)
    return chunk, found["last"]


def _keys_of(table: DerivedTable, scope: Scope) -> str:
    match scope:
        case Everything():
            return table.all_keys
        case Sessions():
            return table.asked_keys
        case _:
            return table.keys


def choose_keys(connection: Connection, name: str, identifiers: Identifiers | None = None, /, **choice: Any) -> Row:
    """Create the temporary table `keys` by `sql/<name>.sql`; return how many there are and the last's position."""
    execute(connection, name, identifiers, **choice)
    connection.execute("analyze keys")
    return fetch_one(connection, "engine/refresh/keys")


def _compare(connection: Connection, work: Work, scope: Scope) -> Row:
    """Note what is to be done to the rows of the keys; return how many were there, and which sources are odd."""
    table = work.table
    prepare(connection, table)
    if table is PARTICIPANT_RESOLUTIONS:
        return participants.compare(connection, renormalize=work.counts_drift)
    return fetch_one(
        connection,
        f"tables/{table.name}/rows",
        unread_since=work.unread_since,
        is_tick=work.is_tick and isinstance(scope, Changes),
    )


def prepare(connection: Connection, table: DerivedTable) -> None:
    """Create the temporary table that takes what is to be done."""
    execute(connection, "engine/refresh/diff", names_of(table))


def write(
    connection: Connection, table: DerivedTable, compared: Row, size: Size, *, unread_since: str | None = None
) -> Outcome:
    """Lock what is to be written and what it refers to, write it and pass it on; log again what somebody has locked.

    Args:
        connection: in the transaction that compared.
        table: whose rows they are.
        compared: what comparing returned: present (rows before), odd.
        size: of the chunk; it measures.
        unread_since: what may still await the table was logged since this snapshot; None: nothing is known.

    Raises:
        TooSlowError: locks would be held for too long.

    """
    with size.write():
        limit(connection, size)
        done = _write_rows(connection, table, size, unread_since)
    begin(connection, None, LOCK_TIMEOUT)
    return outcome_of(done, compared)


def outcome_of(done: Row | None, compared: Row) -> Outcome:
    """Return as an outcome what was done to rows (a row of `engine/refresh/counts`) and by comparing."""
    if done is None:
        return Outcome(Counts(unchanged=compared["present"]), odd=Oddities.of(compared.get("odd")))
    changed = done["updated"] + done["deleted"]
    counts = Counts(done["inserted"], done["updated"], done["deleted"], compared["present"] - changed)
    return Outcome(counts, days=set(done["days"]), odd=Oddities.of(compared.get("odd")), locked=done["locked"])


def limit(connection: Connection, size: Size) -> None:
    """Give the next statements what is left of the time that locks may be held."""
    seconds = size.seconds_left or settings().refresh_timeout_seconds
    execute(connection, "database/session/limit", timeout=str(round(seconds * 1000)), lock_timeout=size.lock_timeout)


def _write_rows(connection: Connection, table: DerivedTable, size: Size, unread_since: str | None) -> Row:
    rows, names = table.rows, names_of(table)
    done = fetch_one(connection, "engine/refresh/counts")
    if not done["rows"]:
        return done
    locked = 0
    if size.is_left_out:
        locked += connection.execute("update different set change = 'locked'").rowcount
    elif not rows.is_insert_only:
        locked += execute(connection, "engine/refresh/lock_rows", names).rowcount
    for column, parent in rows.parents:
        locked += execute(
            connection, "engine/refresh/lock_parents", {"column": sql.Identifier(column)}, parent=parent
        ).rowcount
    if locked:
        done = fetch_one(connection, "engine/refresh/counts")
    limit(connection, size)
    if done["rows"] > done["locked"]:
        if table is CREW_CONVERSATIONS:
            is_captured = not capture.uncaptured(connection, ["conversations"])
            execute(connection, "tables/crew_conversations/write", is_captured=is_captured)
        else:
            execute(connection, "engine/refresh/write", names)
        if exists(f"tables/{table.name}/propagate"):
            execute(connection, f"tables/{table.name}/propagate")
    if done["locked"] and rows.again:
        statement, column = rows.again
        of_key = {"column": sql.Identifier(column)}
        execute(connection, statement, of_key, source=table.again, unread_since=unread_since)
    return done


def names_of(table: DerivedTable) -> dict[str, sql.Composable]:
    """Return what takes the place of the placeholders in the statements that serve all tables."""
    rows = table.rows
    key = [sql.Identifier(name) for name in rows.key]
    same = sql.SQL("target.{name} = different.{name}")
    assigned = [sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name)) for name in rows.values]
    touched = [sql.SQL("{} = now()").format(sql.Identifier(rows.touched))] if rows.touched else []
    return {
        "target": sql.Identifier(*rows.relation.split(".")),
        "key": sql.SQL(", ").join(key),
        "same_key": sql.SQL(" and ").join(same.format(name=name) for name in key),
        "columns": sql.SQL(", ").join(sql.Identifier(name) for name in (*rows.key, *rows.values)),
        "assignments": sql.SQL(", ").join([*assigned, *touched]),
    }


def _drift(connection: Connection, work: Work, compared: Row) -> Counts:
    """Count the rows to change whose keys await no tick: looked up after comparing, to miss nothing that it saw."""
    planned = fetch_one(connection, "engine/refresh/counts")
    identifiers = Counts(updated=compared.get("identifiers", 0))
    if work.unread_since is None or not (planned["rows"] or identifiers.changed):
        return Counts()
    connection.execute("drop table keys")
    now = fetch_one(connection, "engine/log/snapshot")["taken"]
    follows = [name.split()[0] for name in work.table.follows]
    if fetch_one(connection, "engine/log/news", seen=work.unread_since, taken=now, follows=follows)["is_everything"]:
        return Counts()
    pending = Changes(work.unread_since, now)
    execute(connection, work.table.keys, **parameters(pending))
    if not work.table.keyed_by:
        if fetch_one(connection, "engine/reconcile/awaited")["is_any"]:
            return Counts()
        return Counts(planned["inserted"], planned["updated"], planned["deleted"]) + identifiers
    return count_drift(connection, work.table)


def count_drift(connection: Connection, table: DerivedTable) -> Counts:
    """Count the rows to change whose keys are not among `keys`: what awaits a tick."""
    same = sql.SQL("keys.{} = different.{}")
    pairs = [same.format(sql.Identifier(key), sql.Identifier(column)) for key, column in table.keyed_by]
    return Counts(**fetch_one(connection, "engine/reconcile/drift", {"is_awaited": sql.SQL(" and ").join(pairs)}))
