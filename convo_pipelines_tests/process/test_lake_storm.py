"""Writers in three cells, whose lake ticks are killed at random and commit into the same tables."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from convo_pipelines.database import addresses
from convo_pipelines.lake import store
from convo_pipelines_tests.conftest import Server, company
from convo_pipelines_tests.lakes import assert_same
from convo_pipelines_tests.world import World, at

CELLS = ("eu1", "eu2", "us1")
SECONDS = float(os.environ.get("STORM_SECONDS", "25"))
TICKER = """
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import refresh
from convo_pipelines.lake.tables import LAKE_TABLES
warehouse = Warehouse()
while True:
    for table in LAKE_TABLES:
        refresh.tick(warehouse, table)
"""


def write(world: World, chance: random.Random) -> None:
    """Change something of a cell, and have its tables follow."""
    match chance.randrange(4):
        case 0:
            world.say(f"49151{chance.randrange(9)}", "human", at(chance.randrange(60)))
        case 1:
            world.message(world.conversation(), when=at(chance.randrange(60)))
        case 2:
            world.execute(
                "delete from app.messages where id in (select id from app.messages order by random() limit 1)"
            )
        case _:
            days = chance.randrange(-20, 20)
            world.execute(
                "update app.messages set sent_at = sent_at + make_interval(days => %s) "
                "where id in (select id from app.messages order by random() limit 2)",
                days,
            )
    world.tick()
    world.sync()


@pytest.mark.long(60)
def test_every_day_is_exact_after_a_storm_in_three_cells(
    new_world: Callable[..., World], server: Server, tmp_path: Path, environment: Callable[..., object]
) -> None:
    worlds = {cell: new_world(company) for cell in CELLS}
    lake = {"LAKE_URI": f"file://{tmp_path}/lake", "LAKE_CATALOG_URL": server.create()}
    chance = random.Random(26)
    log = (tmp_path / "log").open("wb")

    def command(cell: str, *arguments: str) -> subprocess.Popen[bytes]:
        variables = lake | {"CONVO_CELL": cell, "CONVO_DATABASE_URL": worlds[cell].url}
        return subprocess.Popen([sys.executable, *arguments], env=os.environ | variables, stderr=log)

    tickers = {cell: command(cell, "-c", TICKER) for cell in CELLS}
    killed, until = 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < until or not killed:
            for world in worlds.values():
                write(world, chance)
            if chance.random() < 0.2:
                cell = chance.choice(CELLS)
                tickers[cell].kill()
                tickers[cell].wait()
                tickers[cell] = command(cell, "-c", TICKER)
                killed += 1
    finally:
        for ticker in tickers.values():
            ticker.kill()
            ticker.wait()
    last = [command(cell, "-c", "from convo_pipelines.cli import main; main()", "lake", "write") for cell in CELLS]
    assert [process.wait() for process in last] == [0, 0, 0], (tmp_path / "log").read_text()[-3_000:]
    environment(**lake)
    for cached in (addresses.database_url, store.catalog):
        cached.cache_clear()
    for cell, world in worlds.items():
        assert_same(world, cell)
    store.catalog.cache_clear()
