"""Nothing is lost between two ticks, however long transactions stay open, and whatever is killed meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import SERVERS, Server, both_servers
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at, metadata

WRITERS = 8
SECONDS = 6.0
STORM_SECONDS = float(os.environ.get("STORM_SECONDS", "20"))


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
    assert metadata(world.tick(), "histories_sessions")["rows_inserted"] == 1
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


@pytest.mark.parametrize("server", ["debian"], indirect=True, scope="session")
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


@both_servers
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


class Storm:
    """Writers who insert, update, delete, roll back, use savepoints and prepare transactions; a database that dies."""

    def __init__(self, url: str):
        self.url, self.until = url, time.monotonic() + STORM_SECONDS
        self.threads = [threading.Thread(target=self.write, args=[number]) for number in range(WRITERS)]
        self.written = 0

    def write(self, number: int) -> None:
        rng = random.Random(number)
        while time.monotonic() < self.until:
            with suppress(psycopg.Error), psycopg.connect(self.url, options="-c timezone=UTC") as connection:
                for _ in range(rng.randint(1, 5)):
                    self.statement(connection, rng)
                time.sleep(rng.random() * 0.2)
                if rng.random() < 0.2:
                    connection.rollback()
                elif rng.random() < 0.1:
                    self.prepare(connection, f"w{number}-{rng.random()}", rng)
                self.written += 1

    def statement(self, connection: psycopg.Connection, rng: random.Random) -> None:
        crew, session, hour = rng.choice("ab"), f"s{rng.randint(0, 30)}", rng.randint(0, 60)
        key, talk = [rng.randint(1, 400)], "(select id from app.conversations order by random() limit 1)"
        contact = "(select id from app.contact_methods order by random() limit 1)"
        query, values = rng.choice([
            (f"insert into app.histories_{crew} (session_id, message, created_at) values (%s, %s, %s)",
             [session, '{"type": "ai"}', at(0, hour)]),
            (f"insert into app.histories_{crew} (session_id, message, created_at) values (%s, %s, %s)",
             [session, '{"type": "human"}', at(0, hour)]),
            (f"update app.histories_{crew} set session_id = %s where id = %s", [session, *key]),
            (f"delete from app.histories_{crew} where id = %s", key),
            (f"insert into app.messages (conversation_id, direction, sent_at) values ({talk}, 'inbound', %s)", [at(0)]),
            (f"insert into app.message_recipients (message_id, contact_method_id, role) "
             f"select id, {contact}, 'to' from app.messages order by random() limit 1", []),
            ("delete from app.message_recipients where id in "
             "(select id from app.message_recipients order by random() limit 1)", []),
            (f"update app.messages set conversation_id = {talk} where id in "
             "(select id from app.messages order by random() limit 1)", []),
            ("update app.contact_methods set person_id = (select id from app.people order by random() limit 1) "
             f"where id = {contact}", []),
        ])  # fmt: skip
        with connection.transaction():
            connection.execute(query, values)
            if rng.random() < 0.1:
                raise psycopg.Rollback

    def prepare(self, connection: psycopg.Connection, name: str, rng: random.Random) -> None:
        connection.execute(f"prepare transaction '{name}'")
        connection.commit()
        time.sleep(rng.random() * 0.5)
        for _ in range(100):  # the database may be away for a while
            with suppress(psycopg.OperationalError), psycopg.connect(self.url, autocommit=True) as other:
                other.execute(f"commit prepared '{name}'")
                return
            time.sleep(0.2)


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that the test may shut down."""
    with SERVERS[request.param]() as url:
        yield Server(url)


@pytest.mark.parametrize("own_server", ["debian"], indirect=True)
def test_writers_ticks_backfills_reconcile_kills_and_a_crash_of_the_database(own_server: Server) -> None:
    world = World(Warehouse(own_server.create(template="template_app")))
    for crew, client in (("A", "C1"), ("B", "C2")):
        world.crew(crew, client=client)
    for number in range(6):
        world.person(email=f"p{number % 4}@example.com")
        world.contact(f"p{number}@example.com")
        world.message(world.conversation())
    storm = Storm(world.url)
    environment = os.environ | {"CONVO_DATABASE_URL": world.url}
    program = str(Path(sys.executable).with_name("convo-pipelines"))

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [program, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    for thread in storm.threads:
        thread.start()
    rng, kills, crash_at = random.Random(7), 0, time.monotonic() + STORM_SECONDS / 2
    tickers = [run("tick"), run("tick"), run("reconcile")]
    while time.monotonic() < storm.until:
        time.sleep(0.2)
        for place, ticker in enumerate(tickers):
            if ticker.poll() is None and rng.random() < 0.05:
                ticker.send_signal(signal.SIGKILL)
                ticker.wait()
                kills += 1
            if ticker.poll() is not None:
                tickers[place] = run(rng.choice(["tick", "tick", "reconcile"]))
        if crash_at and time.monotonic() > crash_at:
            own_server.crash()
            crash_at = 0.0
    for worker in (*storm.threads, *tickers):
        worker.join() if isinstance(worker, threading.Thread) else worker.wait()
    world.connection.close()
    world = World(Warehouse(world.url))
    world.execute("update analytics.refresh_state set lease_until = null, written_by = pg_current_xact_id()")
    world.tick()
    world.sync()
    print(json.dumps({"kills": kills, "transactions": storm.written}))
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().repairs.changed == 0
    assert kills > 0
    capture.switch(world.warehouse, [], on=True)
    world.tick()
    world.sync()
    assert [table for table in PIPELINE + LINKS if world.has_news([table])] == []
    world.close()
