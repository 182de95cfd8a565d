"""A run that is interrupted ends, and the server with it: no statement goes on, no crew is said to have failed."""

import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest

from convo_pipelines_tests import oracle
from convo_pipelines_tests.interrupts import assert_nothing_goes_on, interrupted
from convo_pipelines_tests.world import World

SLOW_VIEW = """
create or replace view app.{name} as
select id, session_id, message, created_at from app.slow_rows, pg_sleep({seconds})
"""


class InterruptedByDagsterError(BaseException):
    """As Dagster's, which is no KeyboardInterrupt."""


def be_slow(world: World, *names: str, seconds: int = 600) -> None:
    world.execute("create table if not exists app.slow_rows as table app.histories_fast")
    for name in names:
        world.connection.execute(psycopg.sql.SQL(SLOW_VIEW.format(name=name, seconds=seconds)))


@pytest.fixture(params=[InterruptedByDagsterError, KeyboardInterrupt, SystemExit])
def interrupt(request: pytest.FixtureRequest) -> Iterator[type[BaseException]]:
    """What a signal raises wherever the program is."""

    def stop(*_: object) -> None:
        raise request.param

    before = signal.signal(signal.SIGUSR1, stop)
    yield request.param
    signal.signal(signal.SIGUSR1, before)


def test_an_interrupted_statement_ends_on_the_server_with_its_transaction(
    world: World, interrupt: type[BaseException]
) -> None:
    def work() -> None:
        with world.warehouse.connection() as connection, connection.transaction():
            connection.execute("create table analytics.half_done ()")
            connection.execute("select pg_sleep(600)")

    with interrupted(world), pytest.raises(interrupt):
        work()
    assert_nothing_goes_on(world)
    assert world.execute("select to_regclass('analytics.half_done') as made") == [{"made": None}]
    with world.warehouse.connection() as connection:
        assert connection.execute("select 1 as one").fetchall() == [{"one": 1}]


def test_an_interrupted_tick_ends_the_statements_of_all_crews_and_blames_none(
    world: World, interrupt: type[BaseException], environment: Callable[..., object]
) -> None:
    environment(REFRESH_WORKERS="2")  # other crews wait for their turn
    world.crew("FAST")
    world.say("s1", crew="FAST")
    slow = [f"histories_slow{number}" for number in range(4)]
    for name in slow:
        world.crew(name.upper(), table=name, create=False)
    be_slow(world, *slow)
    with interrupted(world), pytest.raises(interrupt):
        world.tick()
    assert_nothing_goes_on(world)
    assert not world.execute("select from analytics.crew_discovery_state where last_error is not null")
    assert not world.execute("select from analytics.conversation_summaries")
    be_slow(world, *slow, seconds=0)
    world.tick()
    assert len(world.execute("select from analytics.conversation_summaries")) == 5
    oracle.assert_right(world)
