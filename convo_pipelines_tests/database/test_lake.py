"""The lake: every day of every table is what the database has, whatever happens to either."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from convo_pipelines.database import addresses
from convo_pipelines.lake import refresh, store
from convo_pipelines.lake.tables import LAKE_TABLES, LakeTable
from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.world import World, at

SUMMARIES = next(table for table in LAKE_TABLES if table.name == "conversation_summaries")


@pytest.fixture
def lake(world: World, tmp_path: Path, environment: Callable[..., object]) -> Iterator[World]:
    """A company whose lake is in a folder, with its catalog in the same database."""
    environment(CONVO_DATABASE_URL=world.url, LAKE_URI=f"file://{tmp_path}")
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()
    company(world)
    yield world
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()


def tick(world: World) -> dict[str, refresh.Written]:
    return {table.name: refresh.tick(world.warehouse, table) for table in LAKE_TABLES}


def in_lake(table: LakeTable, cell: str = "default") -> list[tuple[Any, ...]]:
    """The rows that a reader of the lake finds, as texts, with the days under which they are stored."""
    found = store.existing(table.name)
    assert found is not None
    frame = found.scan(row_filter=f"cell == '{cell}'").to_pandas().drop(columns="cell")
    return sorted(rows_of(frame))


def in_database(world: World, table: LakeTable) -> list[tuple[Any, ...]]:
    left_out = {"session_id"}
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


def assert_same(world: World) -> None:
    for table in LAKE_TABLES:
        assert in_lake(table) == in_database(world, table), table.name


def test_what_changes_is_in_the_lake_after_a_tick(lake: World) -> None:
    done = tick(lake)
    assert all(written.is_everything for written in done.values())
    assert_same(lake)
    assert not any(written.days for written in tick(lake).values())

    lake.say("4915112345678", "ai", at(3))
    talk = lake.conversation()
    lake.message(talk, when=at(5))
    lake.tick()
    lake.sync()
    done = tick(lake)
    assert at(3).date() in done["histories_sessions"].days
    assert not done["histories_sessions"].is_everything
    assert_same(lake)

    lake.execute("delete from app.messages where conversation_id = %s", talk)
    lake.execute("update app.conversations set started_at = started_at - interval '40 days'")
    lake.tick()
    lake.sync()
    tick(lake)
    assert_same(lake)
