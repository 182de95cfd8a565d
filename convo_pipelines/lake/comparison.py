"""Drift: days of a lake table whose counts and sums are not those of its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import isclose
from typing import Any, cast

import pyarrow  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.compute  # pyright: ignore[reportMissingTypeStubs]
from pyiceberg.table import Table
from pyiceberg.types import BooleanType, DateType, StringType, TimestamptzType

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.scopes import Window
from convo_pipelines.lake import refresh, store
from convo_pipelines.lake.tables import Column, LakeTable

pa, pc = cast("Any", pyarrow), cast("Any", pyarrow.compute)

TOLERANCE = 1e-9
"""Sums of floating-point numbers depend on their order."""

MODULUS = 1_000_000_000
"""Times count by their microseconds modulo this, so that their sums are exact."""

Measures = dict[date, tuple[float, ...]]
"""The number of rows of a day, then the sum of each column: of numbers, of lengths of texts, of times."""


@dataclass(frozen=True)
class Difference:
    """A day that is not the same: the rows of the table, those of the lake, and the columns whose sums differ."""

    day: date
    rows: int
    rows_in_lake: int
    columns: Sequence[str]


def differences(warehouse: Warehouse, table: LakeTable) -> list[Difference]:
    """Return the days of this cell that differ, those excepted that the next tick will write."""
    with warehouse.connection() as connection:
        columns = table.columns(connection)
    with store.turn(table.name), refresh.Reader(warehouse, table, columns) as reader:
        iceberg = store.existing(table.name)
        known = refresh.watermark(iceberg) if iceberg else {}
        if iceberg is None or not known:
            return []
        now = reader.position(known["snapshot"])
        if now["is_everything"] or not refresh.is_continued(known, now, reader.columns):
            return []  # the next tick writes all days
        unread = refresh.days_in(now)
        here = reader.measures([_in_sql(column) for column in columns])
        stored = _stored(iceberg, columns)
    names = ["rows", *(column.name for column in columns)]
    nothing = (0.0,) * len(names)
    found = list[Difference]()
    for day in sorted((here.keys() | stored.keys()) - unread):
        a, b = here.get(day, nothing), stored.get(day, nothing)
        if differing := [name for name, x, y in zip(names, a, b, strict=True) if not isclose(x, y, rel_tol=TOLERANCE)]:
            found.append(Difference(day, int(a[0]), int(b[0]), differing))
    return found


def _in_sql(column: Column) -> str:
    match column.type:
        case StringType():
            value = f"char_length({column.value})"
        case TimestamptzType():
            value = f"mod((extract(epoch from {column.value}) * 1000000)::bigint, {MODULUS})"
        case DateType():
            value = f"({column.value} - date '1970-01-01')"
        case BooleanType():
            value = f"{column.value}::int"
        case _:
            value = column.value
    return f"coalesce(sum({value}), 0)::float8"


def _in_arrow(column: Column, values: Any) -> Any:
    match column.type:
        case StringType():
            numbers = pc.utf8_length(values)
        case TimestamptzType():
            moments = values.cast(pa.int64())
            numbers = pc.subtract(moments, pc.multiply(pc.divide(moments, MODULUS), MODULUS))
        case DateType():
            numbers = values.cast(pa.int32())
        case _:
            numbers = values
    return pc.fill_null(numbers.cast(pa.float64()), 0.0)


def _stored(iceberg: Table, columns: Sequence[Column]) -> Measures:
    """Return what the columns of each of this cell's days add up to in the lake, reading it in batches."""
    sums = dict[date, list[float]]()
    fields = ("day", *(column.name for column in columns))
    scan = iceberg.scan(row_filter=store.of_this_cell(), selected_fields=fields)
    for batch in cast("Any", scan.to_arrow_batch_reader()):
        measured = {"day": batch["day"], "rows": pa.array([1.0] * len(batch))}
        measured |= {f"{number}": _in_arrow(column, batch[column.name]) for number, column in enumerate(columns)}
        names = list(measured)[1:]
        added: Any = pa.table(measured).group_by("day").aggregate([(name, "sum") for name in names])
        for row in added.to_pylist():
            total = sums.setdefault(row["day"], [0.0] * len(names))
            sums[row["day"]] = [a + row[f"{name}_sum"] for a, name in zip(total, names, strict=True)]
    return {day: tuple(values) for day, values in sums.items()}


def repair(warehouse: Warehouse, table: LakeTable) -> list[Difference]:
    """Write the days again that differ; return what differed."""
    found = differences(warehouse, table)
    for difference in found:
        start = datetime.combine(difference.day, time(), UTC)
        refresh.backfill(warehouse, table, Window(start, start + timedelta(days=1)))
    return found
