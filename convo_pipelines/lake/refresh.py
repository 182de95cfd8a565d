"""Refreshes of the lake: the days that changed since the last tick, or those of a backfill, written whole.

The lake follows the logs of the derived tables, which triggers write then, so that rows that a foreign key deletes are
logged, too. The watermark of a cell, a snapshot of its database, is a property of the Iceberg table. It is set by the
commit that writes the days, so that a tick that dies has done nothing. The database has a copy, up to which logs are
trimmed. Data move as Arrow, at most `SLICE_ROWS` at once.
"""

import json
import logging
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString, cast

import pyarrow  # pyright: ignore[reportMissingTypeStubs]
from psycopg import sql
from pyiceberg.expressions import BooleanExpression, EqualTo
from pyiceberg.table import Table, Transaction

from convo_pipelines.database.arrow import reading
from convo_pipelines.database.execution import execute, identifier
from convo_pipelines.database.statements import statement
from convo_pipelines.database.transactions import transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.scopes import Window
from convo_pipelines.lake import following, store, upkeep
from convo_pipelines.lake.tables import LAKE_TABLES, Column, LakeTable

pa = cast("Any", pyarrow)

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

    All days are written again, too, if the table has other columns, or if the database or the lake was restored.
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


def remove_cell(table: LakeTable, cell: str) -> None:
    """Delete all that a cell has in a table, its files included: a cell that is gone, or has another name now."""
    with store.turn(table.name):
        iceberg = store.of_ours(table.name)
        if iceberg is None:
            return
        change = iceberg.transaction()
        _delete(change, cast("Any", EqualTo)("cell", cell))
        change.remove_properties(*{_property(cell)} & iceberg.properties.keys())
        change.commit_transaction()
    upkeep.purge(table.name)


def _refresh(warehouse: Warehouse, table: LakeTable, window: Window | None) -> Written:
    started = time.monotonic()
    following.begin(warehouse, table.table)
    with warehouse.connection() as connection:
        columns = table.columns(connection)
    with store.turn(table.name) as require_turn, Reader(warehouse, table, columns) as reader:
        iceberg = store.with_columns(table.name, columns)
        had = {identity.split()[0] for identity in watermark(iceberg).get("columns", ())}
        written = _write(warehouse, table, iceberg, reader, window, require_turn)
        upkeep.thin(iceberg)
    if had - {column.name for column in columns}:  # what these had, personal data perhaps, must not stay
        upkeep.purge(table.name)
    milliseconds = round((time.monotonic() - started) * 1000)
    done = Written(written.days, written.rows, written.is_everything, milliseconds)
    _log.info("lake/%s: %d days, %d rows, %d ms", table.name, len(done.days), done.rows, done.milliseconds)
    return done


def watermark(iceberg: Table) -> dict[str, Any]:
    """Return up to where this cell's rows are, a snapshot and its origin, and their columns; at first nothing."""
    return json.loads(iceberg.properties.get(_property(), "{}"))


def _property(cell: str | None = None) -> str:
    return f"convo_pipelines.watermark.{cell or store.cell()}"


class Reader:
    """Reads the log and the rows of a table in one snapshot, as Arrow."""

    def __init__(self, warehouse: Warehouse, table: LakeTable, columns: Sequence[Column]):
        self._url = warehouse.url
        self.columns = [column.identity for column in columns]
        values = [sql.SQL(cast("LiteralString", f'{column.value} as "{column.name}"')) for column in columns]
        self._names: dict[str, sql.Composable] = {
            "relation": identifier(table.table.target),
            "log": identifier(f"analytics.{table.table.log.name}"),
            "day": sql.SQL(cast("LiteralString", table.day)),
            "cell": sql.Literal(store.cell()),
            "name": sql.Literal(table.name),
            "columns": sql.SQL(",\n    ").join(values),
        }

    def __enter__(self) -> "Reader":
        """Connect, and begin a transaction, which is idle while files are written."""
        with ExitStack() as stack:
            mode = "isolation level repeatable read, read only"
            self._cursor = stack.enter_context(reading(self._url, mode, idle_timeout="0"))
            self._cursor.execute("set local row_security = off")
            self._opened = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the transaction, and disconnect."""
        self._opened.close()

    def _fetch(self, name: str, **names: sql.Composable) -> Any:
        text = statement(name).format(**self._names, **names).as_string()
        self._cursor.execute(text)
        return self._cursor.fetch_arrow_table()

    def position(self, since: str | None) -> dict[str, Any]:
        """Return what the log has since a snapshot; see `position` in `sql/lake.sql`."""
        return self._fetch("lake/position", since=sql.Literal(since)).to_pylist()[0]

    def counts(self, days: Sequence[date] | None = None) -> list[tuple[date, int]]:
        """Return the days that have rows, of these or of all, and the number of rows of each."""
        found = self._fetch("lake/counts", days=sql.SQL("true") if days is None else self._among(days))
        return [(row["day"], row["rows"]) for row in found.to_pylist()]

    def measures(self, sums: Sequence[str]) -> dict[date, tuple[float, ...]]:
        """Return what each day adds up to: the number of its rows, then these sums."""
        values = [sql.SQL(cast("LiteralString", f'{text} as "{number}"')) for number, text in enumerate(sums)]
        found = self._fetch("lake/measures", measures=sql.SQL(",\n    ").join(values)).to_pylist()
        return {row.pop("day"): tuple(map(float, row.values())) for row in found}

    def rows(self, days: Sequence[date]) -> Any:
        """Return the rows of some days."""
        return self._fetch("lake/rows", days=self._among(days))

    def _among(self, days: Sequence[date]) -> sql.Composed:
        return sql.SQL("{} = any({}::date[])").format(self._names["day"], sql.Literal([*days]))

    def require_alive(self) -> None:
        """Check that the server has not crashed since the snapshot was taken, by asking it in the same transaction."""
        self._cursor.execute("select 1")
        self._cursor.fetchall()


def _write(
    warehouse: Warehouse,
    table: LakeTable,
    iceberg: Table,
    reader: Reader,
    window: Window | None,
    require_turn: Callable[[], object],
) -> Written:
    known = watermark(iceberg)
    now = reader.position(known.get("snapshot"))

    def read_up_to(committed: str) -> None:
        with warehouse.connection() as connection:
            execute(connection, "lake/store", name=table.name, to_snapshot=now["to_snapshot"], committed=committed)

    if not is_continued(known, now, reader.columns):
        days = None
    elif window:
        days = _days_of(window)
    else:
        days = None if now["is_everything"] else sorted(days_in(now))
    if days == []:
        if not window:
            read_up_to(known["snapshot"])
        return Written()
    counts = reader.counts(days)
    moved = {"snapshot": now["to_snapshot"], "origin": now["origin"], "columns": reader.columns}
    is_tick = window is None or days is None
    change = _prepare(iceberg, reader, days, counts, {_property(): json.dumps(moved)} if is_tick else {})
    _commit(warehouse, table, change, reader, require_turn)
    if is_tick:
        read_up_to(now["to_snapshot"])
    written = [day for day, _ in counts] if days is None else days
    return Written(written, sum(rows for _, rows in counts), is_everything=days is None)


def days_in(position: dict[str, Any]) -> set[date]:
    """Return the days that the log names."""
    return {date.fromisoformat(day) for day in position["days"].split(",") if day}


def _days_of(window: Window) -> list[date]:
    first, last = window.start.date().toordinal(), window.end.date().toordinal()
    return [date.fromordinal(day) for day in range(first, last)]


def is_continued(known: dict[str, Any], now: dict[str, Any], columns: Sequence[str]) -> bool:
    """Whether the log goes on from what is known: the same columns, and neither database nor lake was restored."""
    return known.get("origin") == now["origin"] and known["columns"] == [*columns] and now["is_continued"]


def _prepare(
    iceberg: Table,
    reader: Reader,
    days: Sequence[date] | None,
    counts: Sequence[tuple[date, int]],
    properties: dict[str, str],
) -> Transaction:
    """Replace the days, or all of the cell's, and set the properties, in one commit that is yet to be made."""
    change = iceberg.transaction()
    _delete(change, store.of_this_cell(days))
    for part in _slices(counts):
        change.append(_like(iceberg, reader.rows(part)))
    if properties:
        change.set_properties(properties)
    return change


def _commit(
    warehouse: Warehouse, table: LakeTable, change: Transaction, reader: Reader, require_turn: Callable[[], object]
) -> None:
    """Commit a change.

    What the snapshot saw is on the disk before it is stored elsewhere: else a crash may give its transaction ids out
    again.
    """
    with warehouse.connection() as connection, transaction(connection):
        connection.execute("set local synchronous_commit = 'on'")
        execute(connection, "lake/flush", name=table.name)
    reader.require_alive()
    require_turn()
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
    """Return rows with the columns and types of a table; columns that the rows lack are null."""
    wanted = cast("Any", iceberg.schema()).as_arrow()
    for field in wanted:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(len(rows), field.type))
    return rows.select(wanted.names).cast(wanted)
