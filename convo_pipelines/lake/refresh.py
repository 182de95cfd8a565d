"""Refreshes of the lake: the days that changed since the last tick, or those of a backfill, written whole.

The watermark of a cell, a snapshot of its database, is a property of the Iceberg table. It is set by the commit that
writes the days, so that a tick that dies has done nothing. Data move as Arrow, at most `SLICE_ROWS` at once.
"""

import json
import logging
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString, cast

from adbc_driver_postgresql import dbapi  # pyright: ignore[reportMissingTypeStubs]
from psycopg import sql
from pyiceberg.expressions import BooleanExpression
from pyiceberg.table import Table, Transaction

from convo_pipelines.database.statements import statement
from convo_pipelines.database.warehouse import Warehouse, execute, fetch_one, identifier, transaction
from convo_pipelines.engine.scopes import Window
from convo_pipelines.lake import store, upkeep
from convo_pipelines.lake.tables import LAKE_TABLES, Column, LakeTable

SLICE_ROWS = 500_000
"""The rows that are in memory at once, about, unless a day has more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What a refresh wrote: the UTC days, of which there may be many (`is_everything`), and the rows of these."""

    days: Sequence[date] = ()
    rows: int = 0
    is_everything: bool = False
    milliseconds: int = 0


def tick(warehouse: Warehouse, table: LakeTable) -> Written:
    """Write the days whose rows changed since the last tick; at first, all of them.

    All days are written again, too, if the table has another set of columns, or if the database is not the one of the
    last tick: restored from a backup, or moved.
    """
    return _refresh(warehouse, table, None)


def backfill(warehouse: Warehouse, table: LakeTable, window: Window) -> Written:
    """Write the days of a window again, changed or not; the next tick reads the log from where it was."""
    return _refresh(warehouse, table, window)


def forget(warehouse: Warehouse) -> None:
    """Write what changed in every table, and delete the files that have what was there before, at once."""
    for table in LAKE_TABLES:
        if store.existing(table.name):
            tick(warehouse, table)
            upkeep.purge(table.name)


def _refresh(warehouse: Warehouse, table: LakeTable, window: Window | None) -> Written:
    started = time.monotonic()
    _follow(warehouse, table)
    with warehouse.connection() as connection:
        columns = table.columns(connection)
    with store.turn(table.name), Reader(warehouse, table, columns) as reader:
        iceberg, altered = store.with_columns(table.name, columns)
        written = _write(warehouse, table, iceberg, reader, window, is_altered=altered != store.Altered.NOT)
    if altered is store.Altered.NARROWED:
        upkeep.purge(table.name)
    milliseconds = round((time.monotonic() - started) * 1000)
    done = Written(written.days, written.rows, written.is_everything, milliseconds)
    _log.info("lake/%s: %d days, %d rows, %d ms", table.name, len(done.days), done.rows, done.milliseconds)
    return done


def watermark(iceberg: Table) -> dict[str, str]:
    """Return up to where this cell's rows are in a table: snapshot and origin; nothing before the first tick."""
    return json.loads(iceberg.properties.get(_property(), "{}"))


def _property() -> str:
    return f"convo_pipelines.watermark.{store.cell()}"


def _follow(warehouse: Warehouse, table: LakeTable) -> None:
    with warehouse.connection() as connection:
        if fetch_one(connection, "lake/is_followed", relation=table.table.target)["is_followed"]:
            return
        names = {
            "relation": identifier(table.table.target),
            "name": sql.Literal(table.name),
            "day": sql.Literal(table.day),
        }
        with transaction(connection):
            execute(connection, "lake/unfollow", names)
            execute(connection, "lake/follow", names)


class Reader:
    """Reads the log and the rows of a table in one snapshot, as Arrow."""

    def __init__(self, warehouse: Warehouse, table: LakeTable, columns: Sequence[Column]):
        self._url, self._table = warehouse.url, table
        values = [sql.SQL(cast("LiteralString", f'{column.value} as "{column.name}"')) for column in columns]
        self._names: dict[str, sql.Composable] = {
            "relation": identifier(table.table.target),
            "day": sql.SQL(cast("LiteralString", table.day)),
            "cell": sql.Literal(store.cell()),
            "name": sql.Literal(table.name),
            "columns": sql.SQL(",\n    ").join(values),
        }

    def __enter__(self) -> "Reader":
        """Connect, and begin a transaction."""
        self._connection = dbapi.connect(self._url)
        self._cursor: Any = self._connection.cursor()
        self._cursor.execute("set transaction isolation level repeatable read, read only")
        self._cursor.execute("set local timezone = 'UTC'")
        self._cursor.execute("set local row_security = off")
        return self

    def __exit__(self, *_: object) -> None:
        """End the transaction, and disconnect."""
        self._cursor.close()
        self._connection.close()

    def _fetch(self, name: str, **names: sql.Composable) -> Any:
        text = statement(name).format(**self._names, **names).as_string()
        self._cursor.execute(text)
        return self._cursor.fetch_arrow_table()

    def position(self, since: str | None) -> dict[str, Any]:
        """Return what the log has since a snapshot; see `position.sql`."""
        return self._fetch("lake/position", since=sql.Literal(since)).to_pylist()[0]

    def counts(self) -> list[tuple[date, int]]:
        """Return the days of the table, and the number of rows of each."""
        return [(row["day"], row["rows"]) for row in self._fetch("lake/counts").to_pylist()]

    def measures(self, sums: Sequence[str]) -> dict[date, tuple[float, ...]]:
        """Return what each day adds up to: the number of its rows, then these sums."""
        values = [sql.SQL(cast("LiteralString", f'{text} as "{number}"')) for number, text in enumerate(sums)]
        found = self._fetch("lake/measures", measures=sql.SQL(",\n    ").join(values)).to_pylist()
        return {row.pop("day"): tuple(map(float, row.values())) for row in found}

    def rows(self, days: Sequence[date]) -> Any:
        """Return the rows of some days, which are in order."""
        day = self._names["day"]
        span = sql.SQL("{0} between {1} and {2} and {0} = any({3}::date[])").format(
            day, sql.Literal(days[0]), sql.Literal(days[-1]), sql.Literal([*days])
        )
        return self._fetch("lake/rows", days=span)

    def require_alive(self) -> None:
        """Check that the server has not crashed since the snapshot was taken, by asking it in the same transaction."""
        self._cursor.execute("select 1")
        self._cursor.fetchall()


def _write(
    warehouse: Warehouse, table: LakeTable, iceberg: Table, reader: Reader, window: Window | None, *, is_altered: bool
) -> Written:
    known = watermark(iceberg)
    now = reader.position(known.get("snapshot"))
    is_first = is_altered or known.get("origin") != now["origin"] or not _is_continued(known["snapshot"], now)
    is_everything = is_first or (window is None and now["is_everything"])
    if window and not is_first:
        counts = [(day, rows) for day, rows in reader.counts() if window.start.date() <= day < window.end.date()]
        days, moved = _days_of(window), {}
    else:
        counts = reader.counts()
        changed = days_in(now)
        days = [day for day, _ in counts] if is_everything else sorted(changed)
        moved = {_property(): json.dumps({"snapshot": now["to_snapshot"], "origin": now["origin"]})}
        counts = [(day, rows) for day, rows in counts if is_everything or day in changed]
    if not days and not is_everything:
        return Written()
    _commit(warehouse, table, iceberg, reader, None if is_everything else days, counts, moved)
    if moved:
        with warehouse.connection() as connection:
            execute(connection, "lake/trim", name=table.name, to_snapshot=now["to_snapshot"])
    return Written(days, sum(rows for _, rows in counts), is_everything)


def days_in(position: dict[str, Any]) -> set[date]:
    """Return the days that the log names."""
    return {date.fromisoformat(day) for day in position["days"].split(",") if day}


def _days_of(window: Window) -> list[date]:
    first, last = window.start.date().toordinal(), window.end.date().toordinal()
    return [date.fromordinal(day) for day in range(first, last)]


def _is_continued(snapshot: str, now: dict[str, Any]) -> bool:
    """Whether the log goes on from a snapshot: neither the database nor the lake was restored to an earlier time."""
    return int(now["trimmed_to"] or 0) <= _xmax(snapshot) <= _xmax(now["to_snapshot"])


def _xmax(snapshot: str) -> int:
    return int(snapshot.split(":")[1])


def _commit(
    warehouse: Warehouse,
    table: LakeTable,
    iceberg: Table,
    reader: Reader,
    days: Sequence[date] | None,
    counts: Sequence[tuple[date, int]],
    properties: dict[str, str],
) -> None:
    """Replace the days, or all of the cell's, and set the properties, in one commit of Iceberg's.

    What the snapshot saw is on the disk before it is stored elsewhere: else a crash may give its transaction ids out
    again.
    """
    change = iceberg.transaction()
    _delete(change, store.of_this_cell(days))
    for part in _slices(counts):
        change.append(_like(iceberg, reader.rows(part)))
    if properties:
        change.set_properties(properties)
    with warehouse.connection() as connection, transaction(connection):
        connection.execute("set local synchronous_commit = 'on'")
        execute(connection, "lake/flush", name=table.name)
    reader.require_alive()
    change.commit_transaction()


def _delete(change: Transaction, rows: BooleanExpression) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Delete operation did not match any records")
        change.delete(rows)


def _slices(counts: Iterable[tuple[date, int]]) -> Iterator[list[date]]:
    """Yield the days that have rows, in spans of about SLICE_ROWS."""
    part, size = list[date](), 0
    for day, rows in counts:
        if part and size + rows > SLICE_ROWS:
            yield part
            part, size = [], 0
        part.append(day)
        size += rows
    if part:
        yield part


def _like(iceberg: Table, rows: Any) -> Any:
    """Return rows with the columns and types of a table."""
    wanted = cast("Any", iceberg.schema()).as_arrow()
    return rows.select(wanted.names).cast(wanted)
