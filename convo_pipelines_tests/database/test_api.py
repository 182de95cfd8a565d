"""The public API, as a script uses it."""

from datetime import date

import pytest

import convo_pipelines
from convo_pipelines import ConvoPipelinesError, Window
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World, at


def test_a_script_ticks_backfills_and_reconciles(world: World) -> None:
    for crew, client in (("A", "C1"), ("B", "C2")):
        world.crew(crew, client=client)
        world.say("s1", "human", at(0, 9), crew=crew)
    tables: list[str] = []
    done = convo_pipelines.tick(world.warehouse, progress=tables.append)
    assert list(done.tables) == tables
    assert done.tables["histories_sessions"].counts.inserted == 2
    assert done.failed_crews == []
    oracle.assert_right(world)

    world.execute("update analytics.histories_sessions set message_count = 7")
    days = Window.around(at(0, 9), at(0, 10))
    done = convo_pipelines.backfill(world.warehouse, days, client_codes=["C1"])
    assert done.tables["histories_sessions"].counts.updated == 1
    elsewhere = Window.of_days(date(2020, 1, 1), date(2020, 1, 2))
    assert convo_pipelines.backfill(world.warehouse, elsewhere).tables["histories_sessions"].counts.changed == 0
    assert convo_pipelines.reconcile(world.warehouse).drift.changed == 1
    oracle.assert_right(world)

    with pytest.raises(ConvoPipelinesError, match="no active crew has the code X"):
        convo_pipelines.tick(world.warehouse, crew_codes=["X"])


def test_a_crew_that_fails_is_named(world: World) -> None:
    world.crew("A")
    world.execute("drop table app.histories_a")
    [failure] = convo_pipelines.tick(world.warehouse).failed_crews
    assert failure.startswith("A: ")
