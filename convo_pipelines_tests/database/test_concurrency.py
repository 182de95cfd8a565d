"""Nothing is lost between two ticks, however long transactions stay open, and whatever is killed meanwhile."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

WRITERS = 8
SECONDS = 6.0


def write(url: str, number: int, until: float) -> None:
    rng = random.Random(number)
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        while time.monotonic() < until:
            for _ in range(rng.randint(1, 5)):
                connection.execute(
                    "insert into app.histories_a (session_id, message) values (%s, %s)",
                    (f"s{number}-{rng.randint(0, 20)}", '{"type": "human"}'),
                )
                time.sleep(rng.random() * 0.05)
            time.sleep(rng.random() * 0.5)
            connection.commit()


class NaiveReader:
    """A reader that moves its watermark to the largest value it saw."""

    def __init__(self, url: str, column: str, start: object):
        self.connection = psycopg.connect(url, autocommit=True, options="-c timezone=UTC")
        self.column, self.watermark, self.seen = column, start, 0

    def read(self) -> None:
        rows = self.connection.execute(
            f"select {self.column} from app.histories_a where {self.column} > %s", [self.watermark]
        ).fetchall()
        self.seen += len(rows)
        self.watermark = max([self.watermark, *(row[0] for row in rows)])


@pytest.mark.long(9)
def test_no_row_is_lost_while_eight_writers_hold_transactions_open(world: World) -> None:
    world.crew()
    world.tick()
    by_id = NaiveReader(world.url, "id", 0)
    by_time = NaiveReader(world.url, "created_at", datetime.min.replace(tzinfo=UTC))
    until = time.monotonic() + SECONDS
    writers = [threading.Thread(target=write, args=(world.url, number, until)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    ticks = 0
    while any(writer.is_alive() for writer in writers):
        by_id.read()
        by_time.read()
        world.tick(["histories_sessions"])
        ticks += 1
    by_id.read()
    by_time.read()
    world.tick()
    oracle.assert_right(world)
    written = len(world.execute("select from app.histories_a"))
    assert ticks > 3
    assert by_id.seen < written
    assert by_time.seen < written
    assert not world.has_news()


def test_a_row_committed_late_is_found_and_read_once(world: World) -> None:
    world.crew()
    world.tick()
    with psycopg.connect(world.url) as late:
        late.execute(
            "insert into app.histories_a (session_id, message, created_at) values ('late', %s, %s)",
            ('{"type": "human"}', at(1)),
        )
        world.say("early")
        world.tick()
        assert not world.has_news()
    assert world.has_news()
    assert world.tick()["histories_sessions"].outcome.counts.inserted == 1
    oracle.assert_right(world)
    assert not world.has_news()


def test_a_late_message_of_a_conversation_is_found(world: World) -> None:
    talk = world.conversation()
    world.message(talk)
    world.tick()
    with psycopg.connect(world.url) as late:
        late.execute(
            "insert into app.messages (conversation_id, direction, sent_at) values (%s, 'outbound', now())", [talk]
        )
        world.tick()
        assert not world.has_news()
    assert world.has_news()
    world.tick()
    oracle.assert_right(world)


@pytest.mark.parametrize("server", ["debian"], indirect=True)
def test_a_prepared_transaction_is_read_when_it_is_committed(world: World) -> None:
    world.crew()
    world.tick()
    with closing(psycopg.connect(world.url)) as late:
        late.tpc_begin("late")
        late.execute("insert into app.histories_a (session_id, message) values ('late', %s)", ['{"type": "ai"}'])
        late.tpc_prepare()
    world.say("early")
    world.tick()
    with closing(psycopg.connect(world.url)) as other:
        other.tpc_commit("late")
    world.tick()
    oracle.assert_right(world)


@both_servers_if_wide
def test_ticks_and_backfills_at_once_are_safe(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
        for number in range(50):
            world.say(f"s{number % 7}", "human" if number % 2 else "ai", at(number % 5, number % 24), crew)
    failures: list[BaseException] = []

    def guarded(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as failure:
            failures.append(failure)

    actions = (world.tick, lambda: world.backfill(at(0).date(), at(6).date()), world.tick)
    runs = [threading.Thread(target=guarded, args=[action]) for action in actions]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert failures == []
    world.tick()
    oracle.assert_right(world)
    assert world.reconcile().repairs.changed == 0
