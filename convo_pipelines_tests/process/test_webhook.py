"""The webhook, called as n8n calls it: a moment after the request, a session is in all tables."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import httpx
import psutil
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.automation import sensors
from convo_pipelines.serving import sessions
from convo_pipelines.serving.webhook import PATH, signature
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, both_servers
from convo_pipelines_tests.processes import free_port, wait_until
from convo_pipelines_tests.servers import DebianServer
from convo_pipelines_tests.world import World, at

SECRET = "a secret of some length"


class Webhook:
    """The process that `convo-pipelines serve webhook` starts, and a caller who knows its secret."""

    def __init__(self, database: str, log: Path, *arguments: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        command = [
            str(Path(sys.executable).with_name("convo-pipelines")),
            "serve",
            "webhook",
            "--port",
            self.port,
            *arguments,
        ]
        with log.open("w") as output:
            self.process = subprocess.Popen(
                command,
                env=os.environ | {"CONVO_DATABASE_URL": database, "WEBHOOK_SECRET": SECRET, "COLUMNS": "200"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, log.read_text()
            assert self.process.poll() is None, log.read_text()
            try:
                httpx.get(f"{self.url}/healthz")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return

    def post(self, body: object, **changed: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Timestamp": timestamp,
            "X-Signature": signature(SECRET, timestamp, content),
        }
        return httpx.post(f"{self.url}{PATH}", content=content, headers=headers | changed, timeout=60)

    def complete(self, session: str, crew: str = "A") -> httpx.Response:
        return self.post({"session_id": session, "crew_code": crew, "what": "else it says does not matter"})

    def wait_for_a_caller(self) -> None:
        """Return as soon as the process has accepted a connection."""
        process = psutil.Process(self.process.pid)
        while not any(c.laddr and str(c.laddr.port) == self.port and c.raddr for c in process.net_connections("tcp")):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def metrics(self) -> dict[str, float]:
        """Samples without their labels added up."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(httpx.get(f"{self.url}/metrics", timeout=60).text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
        return found

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Webhook]]:
    started: list[Webhook] = []

    def start(database: str, *arguments: str) -> Webhook:
        started.append(Webhook(database, tmp_path / f"webhook{len(started)}.log", *arguments))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


def test_a_session_is_in_all_tables_when_the_answer_comes(world: World, start: Callable[..., Webhook]) -> None:
    world.contact("ben@b.example", world.person())
    world.crew("A")
    world.crew("B", client="C2")
    called = start(world.url)
    session = " Ben@b.example"
    world.say(session, "human", at(0, 9))
    world.say(session, "ai", at(0, 10))
    answer = called.complete(session)
    [conversation] = world.execute("select id from app.conversations")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "crew_code": "A",
            "session_id": session,
            "conversation_id": str(conversation["id"]),
            "message_count": 2,
            "inbound_count": 1,
            "outbound_count": 1,
            "people": 1,
            "clients": 1,
            "projects": 0,
        },
    )
    world.say(session, "human", at(1, 9))
    world.say("other", crew="B")
    assert called.complete(session).json()["message_count"] == 3
    assert called.complete("other", "B").json()["people"] == 0
    world.execute("delete from app.histories_a where created_at < %s", at(0, 10))
    assert called.complete(session).json()["inbound_count"] == 1
    oracle.assert_equal(world, "histories_sessions", "conversation_summaries")
    oracle.assert_links_right(world)
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert called.complete(session).json()["message_count"] == 2
    assert "Ben" not in called.log.read_text()


def test_after_ticks_only_what_they_have_not_read_is_read(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    for number in range(20):
        world.say(f"s{number}", when=at(number % 5))
    world.tick()
    world.sync()
    called = start(world.url)
    world.say("s1", when=at(9))
    world.say("new", when=at(9))
    world.crew("B")  # no tick has seen it
    world.say("b", crew="B", when=at(3))
    assert called.complete("s1").json()["message_count"] == 2
    assert called.complete("new").json()["message_count"] == 1
    assert called.complete("b", "B").json()["message_count"] == 1
    oracle.assert_equal(world, "histories_sessions", "conversation_summaries")
    oracle.assert_links_right(world)


def test_requests_that_wait_are_served_together(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    world.crew("B", client="C2")
    called = start(world.url)
    asked = [(f"s{number}", "AB"[number % 2]) for number in range(60)]
    for session, crew in asked:
        world.say(session, crew=crew)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda session: called.complete(*session), [*asked, *asked]))
    assert {answer.status_code for answer in answers} == {200}
    found = {(answer.json()["session_id"], answer.json()["crew_code"]) for answer in answers}
    assert found == set(asked)
    metrics = called.metrics()
    assert metrics["convo_webhook_request_seconds_count"] == 120
    assert metrics["convo_webhook_refresh_seconds_count"] < 100
    assert metrics["convo_conversations"] == 60
    assert metrics["convo_sessions_per_client"] == 30
    oracle.assert_equal(world, "histories_sessions", "conversation_summaries")


def test_a_conversation_that_the_application_refuses(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    world.execute("alter table app.conversations add constraint short check (length(session_id) < 5)")
    for session in ("s1", "+4915112345678"):
        world.say(session)
    called = start(world.url)
    with ThreadPoolExecutor() as callers:
        served, refused = callers.map(called.complete, ("s1", "+4915112345678"))
    assert served.status_code == 200
    assert (refused.status_code, refused.json()["detail"]) == (422, "app.conversations refuses it by constraint short")
    assert "4915112345678" not in called.log.read_text()


def test_it_waits_for_a_commit_that_is_late_but_not_for_ever(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    called = start(world.url)
    with psycopg.connect(world.url) as late, ThreadPoolExecutor(1) as pool:
        late.execute("insert into app.histories_a (session_id, message) values ('late', '{\"type\": \"human\"}')")
        answer = pool.submit(called.complete, "late")
        time.sleep(0.5)
        assert not answer.done()
        late.commit()
        assert answer.result().json()["message_count"] == 1
    missing = called.complete("never")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert missing.json()["detail"] == ("crew A has no such session, or the application has deleted its conversation")
    assert called.complete("s", "X").json()["detail"] == "no active crew has the code X"


REFUSED = [
    ("a wrong signature", {"X-Signature": "0" * 64}, 401),
    ("no signature", {"X-Signature": ""}, 401),
    ("a signature that is none", {"X-Signature": "ä"}, 401),
    ("no timestamp", {"X-Timestamp": ""}, 401),
    ("another type", {"Content-Type": "text/plain"}, 415),
]
BODIES = [
    (b"{", 422, "Invalid JSON"),
    (b"", 422, "Invalid JSON"),
    (b"\xff", 422, "Invalid JSON"),
    (b"[]", 422, "object"),
    ({"session_id": "s"}, 422, "crew_code: Field required"),
    ({"session_id": 1, "crew_code": "A"}, 422, "session_id: Input should be a valid string"),
    ({"session_id": "a\0b", "crew_code": "A"}, 422, "session_id: it has a NUL character"),
    ({"session_id": "s" * 2001, "crew_code": "A"}, 422, "session_id: it has 2,001 bytes, and 2,000 at most are read"),
    ({"session_id": "s", "crew_code": "A" * 201}, 422, "crew_code"),
    ({"session_id": "s" * 70_000, "crew_code": "A"}, 413, "larger than 65536 bytes"),
]


def test_what_is_wrong_with_a_request_is_said(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    called = start(world.url)
    for name, headers, status in REFUSED:
        encoded = {key: value.encode() for key, value in headers.items()}
        answer = called.post({"session_id": "s", "crew_code": "A"}, **encoded)
        assert (name, answer.status_code, answer.json()["status"]) == (name, status, status)
    for body, status, detail in BODIES:
        answer = called.post(body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body
        assert detail in answer.json()["detail"]
    old, body = str(int(time.time()) - 400), b"{}"
    stale = called.post(body, **{"X-Timestamp": old, "X-Signature": signature(SECRET, old, body)})
    assert (stale.status_code, "within 300 s" in stale.json()["detail"]) == (401, True)
    assert httpx.get(f"{called.url}{PATH}").status_code == 405
    assert httpx.get(f"{called.url}/nothing").json()["title"] == "Not Found"
    assert SECRET not in called.log.read_text()


def test_it_starts_without_a_secret_only_if_told_to(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    world.say("s1")
    command = [str(Path(sys.executable).with_name("convo-pipelines")), "serve", "webhook"]
    environment = {name: value for name, value in os.environ.items() if name != "WEBHOOK_SECRET"}
    refused = subprocess.run(
        command, env=environment | {"CONVO_DATABASE_URL": world.url}, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "WEBHOOK_SECRET is not set: set it, or pass --insecure" in refused.stderr) == (1, True)
    called = start(world.url, "--insecure")
    assert called.post({"session_id": "s1", "crew_code": "A"}, **{"X-Signature": ""}).status_code == 200


@contextmanager
def holding(world: World, statement: str) -> Iterator[None]:
    """Hold what a statement of the application locks."""
    with psycopg.connect(world.url) as other:
        other.execute(statement)
        yield
        other.rollback()


@both_servers
def test_a_lock_stops_only_what_needs_it(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    world.crew("B")
    for crew in "AB":
        world.say("old", crew=crew)
    called = start(world.url)
    assert {called.complete("old", crew).status_code for crew in "AB"} == {200}
    for crew in "AB":
        world.say("new", crew=crew)
        world.say("old", crew=crew, when=at(1))
    with holding(world, "lock table app.histories_a in access exclusive mode"), ThreadPoolExecutor(2) as pool:
        locked, other = pool.submit(called.complete, "new", "A"), pool.submit(called.complete, "new", "B")
        assert other.result().status_code == 200
        assert (locked.result().status_code, locked.result().headers.get("retry-after")) == (503, "5"), (
            locked.result().text
        )
        assert "app.histories_a is locked by pid" in locked.result().json()["detail"]
    world.execute("update analytics.conversation_summaries set message_count = 77 where session_id = 'old'")
    [crew_a, _] = world.execute("select id from app.crews order by crew_code")
    own = f"session_id = 'old' and crew_id = '{crew_a['id']}'"
    with holding(world, f"select from app.conversations where {own} for update"):
        with ThreadPoolExecutor(2) as pool:
            locked, other = pool.submit(called.complete, "old", "A"), pool.submit(called.complete, "old", "B")
        assert other.result().json()["message_count"] == 2
        assert (locked.result().status_code, locked.result().json()["detail"]) == (503, sessions.LOCKED)
    assert called.complete("old", "A").json()["message_count"] == 2
    assert called.complete("new", "A").status_code == 200
    oracle.assert_equal(world, "histories_sessions", "conversation_summaries")


def test_the_database_goes_away_and_comes_back(debian: DebianServer, start: Callable[..., Webhook]) -> None:
    debian.start()
    world = World(Warehouse(Server(debian.url).create(template="template_app")))
    world.crew("A")
    world.say("s1")
    called = start(world.url)
    assert called.complete("s1").status_code == 200
    world.say("s1")
    world.close()
    debian.crash()
    away = called.complete("s1")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert httpx.get(f"{called.url}/healthz").json()["detail"] == "the database is not reachable"
    assert called.metrics()["convo_database_up"] == 0
    debian.start()
    wait_until(lambda: called.complete("s1").status_code == 200, 60)
    assert called.complete("s1").json()["message_count"] == 2
    assert httpx.get(f"{called.url}/healthz").json() == {"status": "ok"}
    assert called.stop() in (0, -15)


def test_it_finishes_what_it_has_before_it_stops(world: World, start: Callable[..., Webhook]) -> None:
    world.crew("A")
    called = start(world.url)
    with psycopg.connect(world.url) as late, ThreadPoolExecutor(2) as pool:
        late.execute("insert into app.histories_a (session_id, message) values ('late', '{\"type\": \"human\"}')")
        answer = pool.submit(called.complete, "late")
        called.wait_for_a_caller()
        time.sleep(0.5)
        stopped = pool.submit(called.stop)
        time.sleep(0.3)
        late.commit()
        assert answer.result().status_code == 200
        assert stopped.result() in (0, -15)
    with pytest.raises(httpx.ConnectError):
        called.complete("late")


def test_dagster_learns_of_it(world: World, start: Callable[..., Webhook], instance: dg.DagsterInstance) -> None:
    world.crew("A")
    called = start(world.url)
    for number in range(3):
        world.say(f"s{number}")
        assert called.complete(f"s{number}").status_code == 200
    called.stop()  # which notes what was done, as it does every minute
    context = dg.build_sensor_context(instance, resources={"warehouse": world.warehouse})
    result = sensors.live_results(context)
    assert isinstance(result, dg.SensorResult)
    events = {event.asset_key.to_user_string(): event for event in result.asset_events}
    assert set(events) <= {table.name for table in DERIVED_TABLES}
    assert events["conversation_summaries"].metadata["rows_inserted"].value == 3
    assert events["conversation_summaries"].metadata["webhook_sessions"].value == 3
    later = dg.build_sensor_context(instance, cursor=result.cursor, resources={"warehouse": world.warehouse})
    assert isinstance(sensors.live_results(later), dg.SkipReason)
