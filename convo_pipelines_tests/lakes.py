"""The lake as its readers find it, and what the database says should be there."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from convo_pipelines.lake import store
from convo_pipelines.lake.tables import LAKE_TABLES, LakeTable
from convo_pipelines.settings import settings
from convo_pipelines_tests.world import World

GONE = {"session_id", "mood"}
"""Columns that the lake keeps without values, when they are not wanted any more."""


def in_lake(table: LakeTable, cell: str = "default") -> list[tuple[Any, ...]]:
    """The rows that a reader of the lake finds, as texts, with the days under which they are stored."""
    found = store.existing(table.name)
    assert found is not None
    frame = found.scan(row_filter=f"cell == '{cell}'").to_pandas().drop(columns="cell")
    frame = frame.drop(columns=[name for name in GONE & {*frame.columns} if frame[name].isna().all()])
    return sorted(rows_of(frame))


def in_database(world: World, table: LakeTable) -> list[tuple[Any, ...]]:
    left_out = set() if settings().lake_personal_data else {"session_id"}
    frame = pd.DataFrame(world.execute(f"select {table.day} as day, * from {table.table.target}"))
    return sorted(rows_of(frame.drop(columns=[*left_out & {*frame.columns}])))


def rows_of(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in frame.itertuples(index=False):
        yield tuple("" if pd.isna(value) else text(value) for value in row)


def text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").isoformat()
    if hasattr(value, "tzinfo"):
        return pd.Timestamp(value).tz_convert("UTC").isoformat()
    return f"{float(value):.6f}" if type(value).__name__ in ("int", "float", "Decimal") else str(value)


def assert_same(world: World, cell: str = "default") -> None:
    for table in LAKE_TABLES:
        assert in_lake(table, cell) == in_database(world, table), table.name
