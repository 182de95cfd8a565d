"""Analysts and the report read a streaming standby."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from convo_pipelines import read
from convo_pipelines.database import addresses
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.serving import report
from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.processes import wait_until
from convo_pipelines_tests.servers import DebianServer
from convo_pipelines_tests.world import World


@pytest.fixture
def standby(debian: DebianServer, environment: Callable[..., object]) -> Iterator[World]:
    """A company with a standby that `read` takes; the world is the primary's."""
    debian.start()
    environment(CONVO_DATABASE_URL=debian.url)
    addresses.database_url.cache_clear()
    upgrade.up()
    world = World(Warehouse(debian.url))
    company(world)
    copy = DebianServer(primary=debian.url)
    copy.start()
    environment(READ_DATABASE_URL=copy.url, CONVO_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    addresses.database_url.cache_clear()
    yield world
    addresses.database_url.cache_clear()
    world.close()
    copy.remove()


def test_analysts_read_a_standby_and_learn_how_far_it_is_behind(standby: World) -> None:
    wait_until(lambda: read.lag() == 0)
    before = read.summaries()
    assert len(before) == 2
    url = addresses.read_url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_wal_replay_pause()")
        standby.message(standby.conversation())
        standby.tick()
        wait_until(lambda: (read.lag() or 0) > 0)
        assert len(read.summaries()) == len(before)
        connection.execute("select pg_wal_replay_resume()")
    wait_until(lambda: len(read.summaries()) == len(before) + 1)
    with Warehouse(url).connection() as connection:
        activity = report.load(connection)
    assert activity.period.endswith("s behind")
    assert "read from a standby that is" in report.render(activity, report.draw(activity))


def test_a_primary_is_not_behind(world: World, environment: Callable[..., object]) -> None:
    environment(READ_DATABASE_URL=world.url)
    assert read.lag() is None
