"""The two ways to refresh the keys of a chunk: by one statement, as arrays, or by several, with temporary tables.

Both compose the same queries. One statement cannot isolate a row that the application refuses, and its plan does not
depend on the keys: when it fails, chunks with temporary tables go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from psycopg import sql
from psycopg.types.json import Jsonb

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import Counts, execute, fetch, fetch_one, query_prepared
from convo_pipelines.database.transactions import LOCK_TIMEOUT, begin
from convo_pipelines.engine import change_log, logs, queries
from convo_pipelines.engine.chunk_size import ChunkSize
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.keys import Chosen, FewKeys, choose_keys, given
from convo_pipelines.engine.oddities import Oddities
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Changes
from convo_pipelines.engine.work import Outcome, Work

COUNTED = ("rows", "inserted", "updated", "deleted", "locked")
ANALYZED_ROWS = 100
"""Differences are analyzed if there are more rows of them."""


class UnsettledError(Exception):
    """The application suppressed, changed or deleted rows that the statement inserted."""


class Executor(Protocol):
    """Compares the rows of keys with their sources, writes the differences, propagates them, and logs retries."""

    def refresh(self, connection: Connection, work: Work) -> list[Outcome]:
        """Refresh the keys in the open transaction; return the outcome of each part."""
        ...


@dataclass(frozen=True)
class Arrays:
    """Refreshes a few keys, which are parameters of one statement."""

    few: FewKeys

    def refresh(self, connection: Connection, work: Work) -> list[Outcome]:
        """Refresh the keys.

        Raises:
            UnsettledError: the application changes, suppresses or deletes rows that are inserted.

        """
        table = work.table
        values = {**work.values, **{f"parent_{column}": parent for column, parent in table.rows.parents}}
        values |= self.few.arrays
        values |= hooks_of(table).prepare_few(connection, given(table.grain), values)
        [row] = query_prepared(connection, queries.few(table, work.columns, tuple(work.parts.values())), values)
        done = outcomes(work, row, row["counts"] or [], self.few.keys)
        if settle := table.own("settle"):
            _settle(connection, table, settle, row["saved"] or [], sum(outcome.counts.inserted for outcome in done))
        return done


def _settle(connection: Connection, table: DerivedTable, settle: str, saved: list[Row], inserted: int) -> None:
    if len(saved) != inserted:
        raise UnsettledError("the application changes or suppresses rows")
    if saved:
        execute(connection, settle)
        if fetch_one(connection, f"tables/{table.name}/is_lost", saved=Jsonb(saved))["is_lost"]:
            raise UnsettledError("the application changes or deletes rows that were inserted")


@dataclass(frozen=True)
class TemporaryTables:
    """Refreshes the keys of the temporary table `keys` by several statements, which put the differences into `diff`."""

    chosen: Chosen[Any]
    size: ChunkSize

    def refresh(self, connection: Connection, work: Work) -> list[Outcome]:
        """Refresh the keys; locked rows are logged for retry.

        Raises:
            TooSlowError: locks would be held for too long.

        """
        table, is_whole = work.table, self.chosen.is_whole
        names = queries.names_of(table, work.columns)
        execute(connection, table.own("diff") or "engine/refresh/diff", names)
        prepared = hooks_of(table).prepare(connection, is_everything_new=work.counts_drift)
        inherited = tuple(
            row["column_name"] for row in fetch(connection, "engine/refresh/inherited", relation=table.target)
        )
        query = queries.compare(table, work.columns, tuple(work.parts.values()), inherited, is_whole=is_whole)
        [compared] = connection.execute(query, {**work.values, "is_whole": is_whole}).fetchall()
        drift = _drift(connection, work, prepared) if work.counts_drift else Counts()
        with self.size.write():
            self.size.limit(connection)
            self._write(connection, work)
            begin(connection, None, LOCK_TIMEOUT)
        done = outcomes(work, compared, fetch(connection, "engine/refresh/counts", names), self.chosen.keys)
        done[0].drift = drift
        return done

    def _write(self, connection: Connection, work: Work) -> None:
        """Lock the rows of `diff` and the rows they refer to, propagate and write them."""
        table = work.table
        planned = _planned(connection)
        if not planned["rows"]:
            return
        if planned["rows"] > ANALYZED_ROWS:
            connection.execute("analyze pg_temp.diff")
        locked = _planned(connection)["locked"] if self._lock(connection, table) else 0
        self.size.limit(connection)
        names = logs.names(table, work.columns)
        if planned["rows"] > locked:
            if insert := table.own("insert"):
                may_insert = {"may_insert": sql.Literal(hooks_of(table).may_insert)}
                execute(connection, insert, queries.names_of(table, work.columns) | may_insert)
            if propagate := queries.propagation(table):
                is_awaited = work.unread_since is not None or _is_awaited(connection, table)
                execute(connection, propagate, names, **{**work.values, "is_awaited": is_awaited})
            execute(connection, "engine/refresh/written", {"write": queries.write(table, work.columns, "saved")})
        if locked and table.grain.has_retries:
            execute(connection, table.own("retry") or "engine/refresh/retry", names, **work.values)

    def _lock(self, connection: Connection, table: DerivedTable) -> int:
        """Lock rows, and mark those of `diff` that another session has locked; return how many marks were made."""
        locked = 0
        if self.size.is_left_out:
            locked += connection.execute("update diff set change = 'locked'").rowcount
        elif not table.rows.is_insert_only:
            locked += execute(connection, "engine/refresh/lock_rows", queries.lock_rows(table, "diff")).rowcount
        for column, parent in table.rows.parents:
            lock, parameters = queries.lock_parents(table, column, "diff"), {f"parent_{column}": parent}
            locked += execute(connection, "engine/refresh/lock_parents", lock, **parameters).rowcount
        return locked


def outcomes(work: Work, compared: Row, counts: Sequence[Row], keys: int) -> list[Outcome]:
    """Return the outcome of each part, or of all, from the results of comparing and of writing."""
    counted: dict[str, Row] = {row["part"]: row for row in counts}
    odd: list[Row] = compared.get("odd") or []
    present: dict[str, int] = compared.get("present") or {}
    rows_read: dict[str, int] = compared.get("rows_read") or {}
    done: list[Outcome] = []
    for part in [str(part) for part in work.parts] or [""]:
        outcome = Outcome(
            Counts(unchanged=present.get(part, 0)),
            odd=Oddities.of([row for row in odd if row.get("part", "") == part]),
            keys=keys,
            rows_read=rows_read.get(part, 0),
        )
        if row := counted.get(part):
            unchanged = present.get(part, 0) - row["updated"] - row["deleted"]
            outcome.counts = Counts(row["inserted"], row["updated"], row["deleted"], unchanged)
            outcome.days, outcome.locked = {date.fromisoformat(day) for day in row["days"]}, row["locked"]
        done.append(outcome)
    return done


def _is_awaited(connection: Connection, table: DerivedTable) -> bool:
    """Return whether a table follows another which has begun to read it; the others cannot begin before the commit."""
    names = [other.name for other in table.registry.followers(table)]
    return fetch_one(connection, "engine/refresh/is_awaited", followers=names)["is_awaited"]


def _planned(connection: Connection) -> Row:
    """Return how many rows a refresh is going to change, in all."""
    [row] = fetch(connection, "engine/refresh/counts", {"part": sql.SQL("null")}) or [dict.fromkeys(COUNTED, 0)]
    return row


def _drift(connection: Connection, work: Work, prepared: int) -> Counts:
    """Count the rows to change whose keys have no unread change.

    The log is read after the comparison, so that it contains every change which that has seen. The number of rows that
    `prepare` changed counts as drift, too.
    """
    planned = _planned(connection)
    if work.unread_since is None or not (planned["rows"] or prepared):
        return Counts()
    connection.execute("drop table pg_temp.keys")
    pending = Changes(work.unread_since, fetch_one(connection, "engine/change_log/snapshot")["to_snapshot"])
    if not _choose_pending(connection, work, pending):
        return Counts()
    if not work.table.grain.keyed_by:
        if fetch_one(connection, "engine/refresh/awaited")["is_any"]:
            return Counts()
        return Counts(planned["inserted"], planned["updated"] + prepared, planned["deleted"])
    is_awaited = queries.own(work.table, "is_present").format(**queries.names_of(work.table))
    return Counts(**fetch_one(connection, "engine/refresh/drift", {"is_awaited": is_awaited}))


def _choose_pending(connection: Connection, work: Work, pending: Changes) -> bool:
    """Fill `keys` with the keys that have unread changes; return False if every key is unread."""
    table = work.table
    chosen = hooks_of(table).choose_pending(connection, pending, work.parameters)
    if chosen is not None:
        return chosen
    to_snapshot = pending.to_snapshot or fetch_one(connection, "engine/change_log/snapshot")["to_snapshot"]
    if change_log.is_everything_new(connection, table, pending.from_snapshot, to_snapshot):
        return False
    choose_keys(connection, table, pending)
    if expected := table.own("expected"):
        execute(connection, expected)
    return True
