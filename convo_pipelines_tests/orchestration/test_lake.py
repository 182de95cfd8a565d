"""The lake's assets and checks, as Dagster runs them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from convo_pipelines import read
from convo_pipelines.database import addresses
from convo_pipelines.lake import Query, store
from convo_pipelines.lake.tables import LAKE_TABLES
from convo_pipelines.orchestration.assets.lake import lake_assets, lake_checks
from convo_pipelines.orchestration.partitions import range_tags, tick_tags
from convo_pipelines.orchestration.questions import Question, lake_query
from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.lakes import assert_same
from convo_pipelines_tests.world import World, at, sample


@pytest.fixture
def lake(world: World, tmp_path: Path, environment: Callable[..., object]) -> Iterator[World]:
    environment(CONVO_DATABASE_URL=world.url, LAKE_URI=f"file://{tmp_path}")
    for cached in (addresses.database_url, store.catalog):
        cached.cache_clear()
    company(world)
    yield world
    for cached in (addresses.database_url, store.catalog):
        cached.cache_clear()


def run(world: World, tags: dict[str, str], instance: dg.DagsterInstance | None = None) -> dg.ExecuteInProcessResult:
    resources = {"warehouse": world.warehouse}
    return dg.materialize([*lake_assets, *lake_checks], resources=resources, tags=tags, instance=instance)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {check.asset_key.path[-1]: check for check in result.get_asset_check_evaluations()}


def test_a_tick_writes_what_changed_and_shows_the_days(lake: World) -> None:
    assert run(lake, tick_tags("lake")).success
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(lake, tick_tags("lake"), instance)
        shown = instance.get_materialized_partitions(dg.AssetKey(["lake", "conversation_summaries"]))
    assert at(5).date().isoformat() in shown
    assert at(0).date().isoformat() not in shown
    assert all(check.passed for check in checks(result).values())
    assert_same(lake)


def test_a_backfill_repairs_the_days_that_its_check_names(lake: World) -> None:
    assert run(lake, tick_tags("lake")).success
    table = read.lake("conversation_summaries")
    [day, *_] = sorted({row["day"] for row in table.scan().to_arrow().to_pylist()})
    table.delete(f"day == '{day}'")
    failed = checks(run(lake, tick_tags("lake")))
    assert [name for name, check in failed.items() if not check.passed] == ["conversation_summaries"]
    [offender] = sample(failed["conversation_summaries"])
    assert (offender["day"], offender["rows_in_lake"]) == (day.isoformat(), 0)
    done = run(lake, range_tags(day.isoformat(), day.isoformat()))
    assert all(check.passed for check in checks(done).values())
    assert len(checks(done)) == len(LAKE_TABLES)
    assert_same(lake)


def ask(**question: Any) -> dg.ExecuteInProcessResult:
    config = dg.RunConfig(ops={"ask": Question(**question)}).to_config_dict()
    return lake_query.execute_in_process(run_config=config, raise_on_error=False)


def test_a_question_is_answered_on_the_machine_of_the_run(lake: World) -> None:
    assert run(lake, tick_tags("lake")).success
    result = ask(query=Query.reply_funnel)
    assert result.success
    [output] = [event for event in result.all_events if event.is_successful_output]
    shown = output.step_output_data.metadata
    assert shown["rows"].value == 2
    assert {record.data["channel"] for record in shown["first_rows"].records} == {"crew", "email"}
    assert len(pd.read_parquet(str(shown["file"].value).removeprefix("file://"))) == 2


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"start": "2026-02-30"}, "is not a day"),
        ({"start": "2026-03-01", "end": "2026-03-01"}, "no day is between"),
        ({}, "the lake has no table conversation_summaries"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(lake: World, question: dict[str, str], reason: str) -> None:
    if question:
        assert run(lake, tick_tags("lake")).success
    [failure] = ask(**question).filter_events(lambda event: event.is_step_failure)
    assert reason in str(failure.step_failure_data.error)
