"""`convo-pipelines table` prints what a tick or a backfill sends."""

from collections import defaultdict
from collections.abc import Callable

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests.world import World

each_table = pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)


def shown(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["table", *arguments])


@each_table
def test_what_is_shown_runs_and_writes_nothing_without_keys(
    world: World, own_database: Callable[[str], str], table: DerivedTable
) -> None:
    own_database(world.url)
    world.crew()
    world.say("s1")
    world.tick()
    output = shown("show", table.name).output
    keys, _, window = shown("keys", table.name).output.partition("-- The keys with activity in a window of days:\n")
    assert output.startswith(keys.rstrip())
    assert bool(window) == (table.own("window") is not None)
    [_, refreshed] = output.split("writes the differences, and logs them:\n")
    assert "-- Locks the rows that are to change" in refreshed or table.rows.is_insert_only
    before = world.execute(f"select * from {table.target}")
    with psycopg.connect(world.url) as connection:
        connection.execute("set search_path to ''")
        for statement in (refreshed, window or "select"):
            connection.execute(statement, defaultdict(lambda: None))
    assert world.execute(f"select * from {table.target}") == before


def test_an_unknown_table_is_refused_and_the_others_are_named() -> None:
    refused = shown("show", "nothing")
    assert refused.exit_code == 2
    assert "conversation_summaries" in refused.output
