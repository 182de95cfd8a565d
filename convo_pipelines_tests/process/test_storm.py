"""A storm of writers, ticks, backfills and reconciles, over a database that dies."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines.model.tables import REGISTRY
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import SERVERS, Server
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at

WRITERS = 8
STORM_SECONDS = float(os.environ.get("STORM_SECONDS", "20"))


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
            (f"delete from app.conversations where id = {talk}", []),
            ("delete from app.people where id = (select id from app.people where name = 'new' limit 1)", []),
            ("insert into app.people (client_id, name, email) "
             "select id, 'new', 'p1@example.com' from app.clients limit 1", []),
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


@pytest.mark.long(25)
@pytest.mark.parametrize("own_server", ["debian"], indirect=True)
@pytest.mark.parametrize("has_foreign_keys", [True, pytest.param(False, marks=pytest.mark.wide)])
def test_writers_ticks_backfills_reconcile_kills_and_a_crash_of_the_database(
    own_server: Server, has_foreign_keys: bool
) -> None:
    world = World(Warehouse(own_server.create(template="template_app")))
    if not has_foreign_keys:
        world.drop_foreign_keys()
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
    deleted = world.execute("select crew_id, session_id from analytics.deleted_conversations")
    oracle.assert_right(world, {(row["crew_id"], row["session_id"]) for row in deleted})
    oracle.assert_links_right(world)
    assert world.reconcile().repairs.changed == 0
    assert kills > 0
    capture.switch(world.warehouse, REGISTRY, [], on=True)
    world.tick()
    world.sync()
    assert [table for table in PIPELINE + LINKS if world.has_news([table])] == []
    world.close()
