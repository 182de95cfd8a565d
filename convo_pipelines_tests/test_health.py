"""It runs by itself, and somebody hears when it does not."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import psycopg
import pytest

from convo_pipelines import alerts, health
from convo_pipelines.automation import sensors
from convo_pipelines.definitions import defs
from convo_pipelines.health import Finding
from convo_pipelines.partitions import tick_tags
from convo_pipelines.settings import settings
from convo_pipelines_tests.conftest import Mailbox, both_servers
from convo_pipelines_tests.world import LINKS, PIPELINE, World

BEHIND = Finding("a table is behind", "people_conversations", None, "7 changes wait")


class Receiver:
    """An HTTP server that keeps the alerts it gets, or refuses them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.heartbeats = 0
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.messages.append(json.loads(body))
                self._answer()

            def do_GET(self) -> None:
                receiver.heartbeats += 1
                self._answer()

            def _answer(self) -> None:
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver(environment: Callable[..., None]) -> Iterator[Receiver]:
    receiver = Receiver()
    environment(ALERT_URLS=f"json://{receiver.address}/alerts", DAGSTER_UI_URL="https://dagster.example/")
    yield receiver
    receiver.server.shutdown()


@pytest.fixture
def quiet(world: World) -> World:
    world.crew()
    world.tick()
    world.sync()
    return world


def observe(world: World, *findings: Finding) -> None:
    with world.warehouse.connection() as connection:
        alerts.observe(connection, findings)
    alerts.deliver(world.warehouse)


def kinds(world: World) -> set[tuple[str, str]]:
    return {(finding.kind, finding.subject) for finding in health.look(world.warehouse)}


@both_servers
def test_a_pipeline_that_is_up_to_date_is_healthy(quiet: World) -> None:
    assert health.look(quiet.warehouse) == []


DAMAGES = {
    "a table is behind": (
        "insert into app.conversations (channel) values ('chat');"
        "update analytics.conversation_changes set logged_at = now() - interval '11 minutes'"
    ),
    "a table was never built": "delete from analytics.refresh_state where asset_key = 'people_conversations';"
    "update analytics.trim_state set trimmed_at = now() - interval '11 minutes'",
    "a crew is behind": "update analytics.crew_discovery_state set consecutive_failures = 4",
    "a table is not captured": "update analytics.capture_state set mode = 'window' where table_name = 'messages'",
    "a log is large": "update pg_class set reltuples = 6000000 where relname = 'session_changes'",
    "alerts are not delivered": (
        "insert into analytics.alerts (source, kind, subject, found, remedy, failed_deliveries, last_error)"
        "values ('health', 'k', 's', 'f', 'r', 1, '1 of 1 receivers took no message')"
    ),
    "the database came from another server": "update analytics.refresh_state set written_by = '7'",
    health.SCHEMA: "update analytics.schema_migrations set version_num = '0028_analytics_baseline'"
    " where version_num = '0029_terms'",
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_finding_is_found_and_says_what_to_do(quiet: World, kind: str) -> None:
    quiet.execute(DAMAGES[kind])
    found = health.look(quiet.warehouse)
    assert {finding.kind for finding in found} == {kind}
    assert set(health.REMEDIES) - set(DAMAGES) == {"a transaction holds snapshots back"}
    assert json.loads(health.report(found))["healthy"] is False


@both_servers
def test_an_old_transaction_is_named(quiet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "OLDEST_TRANSACTION", health.timedelta(0))
    with psycopg.connect(quiet.url) as holding:
        holding.execute("create temporary table held (id int)")
        [pid] = holding.execute("select pg_backend_pid()").fetchone() or ()
        assert kinds(quiet) == {("a transaction holds snapshots back", f"pid {pid}")}


def test_the_allowed_wait_follows_the_schedule(environment: Callable[..., None]) -> None:
    assert health.allowed_wait("link_sync").total_seconds() == 600
    environment(LINK_SYNC_CRON="0 * * * *")
    assert 3_600 <= health.allowed_wait("link_sync").total_seconds() <= 7_200
    for odd in ("never", "0 0 30 2 *"):
        environment(LINK_SYNC_CRON=odd)
        assert health.allowed_wait("link_sync").total_seconds() == 600


@both_servers
def test_one_message_when_it_begins_one_when_it_ends_and_one_a_day_in_between(world: World, receiver: Receiver) -> None:
    for _ in range(3):
        observe(world, BEHIND)
    assert [message["title"] for message in receiver.messages] == ["convo_pipelines: 1 begun"]
    assert "a table is behind: people_conversations" in receiver.messages[0]["message"]
    assert BEHIND.remedy in receiver.messages[0]["message"]
    assert "https://dagster.example/" in receiver.messages[0]["message"]
    world.execute("update analytics.alerts set notified_at = notified_at - interval '1 day'")
    observe(world, BEHIND)
    observe(world)
    observe(world)
    titles = [message["title"] for message in receiver.messages]
    assert titles[1:] == ["convo_pipelines: 1 still so", "convo_pipelines: 1 over"]
    assert world.execute("select from analytics.alerts") == []


def test_a_delivery_that_fails_is_tried_again_and_shows_in_health(quiet: World, receiver: Receiver) -> None:
    receiver.status = 500
    observe(quiet, BEHIND)
    assert receiver.messages == []
    assert kinds(quiet) == {("alerts are not delivered", "ALERT_URLS")}
    receiver.status = 200
    observe(quiet, BEHIND)
    assert len(receiver.messages) == 1
    assert health.look(quiet.warehouse) == []


def test_one_dead_receiver_of_two_is_no_reason_to_tell_the_other_twice(
    world: World, receiver: Receiver, environment: Callable[..., None]
) -> None:
    environment(ALERT_URLS=f"json://127.0.0.1:9/dead json://{receiver.address}/alerts")
    for _ in range(3):
        observe(world, BEHIND)
    observe(world)
    assert [message["title"] for message in receiver.messages] == [
        "convo_pipelines: 1 begun",
        "convo_pipelines: 1 over",
    ]


def test_where_nobody_is_told_nothing_is_owed(
    quiet: World, receiver: Receiver, environment: Callable[..., None]
) -> None:
    receiver.status = 500
    observe(quiet, BEHIND)
    environment(ALERT_URLS="")
    observe(quiet)
    assert quiet.execute("select from analytics.alerts") == []
    assert health.look(quiet.warehouse) == []


def test_a_fresh_database_is_given_time(world: World) -> None:
    assert health.look(world.warehouse) == []


def test_an_old_schema_is_told(quiet: World, receiver: Receiver) -> None:
    quiet.execute(DAMAGES[health.SCHEMA])
    assert defs.resolve_job_def("health").execute_in_process(resources={"warehouse": quiet.warehouse}).success
    [message] = receiver.messages
    assert "without 0029_terms" in message["message"]


def test_what_postgresql_quotes_of_a_row_is_not_kept(world: World) -> None:
    world.crew()
    world.execute("alter table app.conversations add constraint short check (length(session_id) < 5)")
    world.say("+4915112345678")
    instance = dg.DagsterInstance.ephemeral()
    world.tick(instance=instance, expect=False)
    kept = "".join(entry.to_json() for run in instance.get_runs() for entry in instance.all_logs(run.run_id))
    assert "violates check constraint" in kept
    assert "4915112345678" not in kept


def test_what_ends_before_anybody_could_be_told_is_no_news(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    observe(world, BEHIND)
    observe(world)
    receiver.status = 200
    observe(world)
    assert receiver.messages == []


def test_a_flood_is_one_message(world: World, receiver: Receiver) -> None:
    observe(world, *(Finding("a crew is behind", f"crew C{number:03}", None, "…") for number in range(200)))
    [message] = receiver.messages
    assert message["title"] == "convo_pipelines: 200 begun"
    assert "and 190 more" in message["message"]


def test_mail_is_sent_and_a_restart_tells_nobody_twice(world: World, mailbox: Mailbox) -> None:
    program = (
        "from convo_pipelines import alerts; from convo_pipelines.health import Finding\n"
        "from convo_pipelines.warehouse import Warehouse\n"
        "warehouse = Warehouse()\n"
        "with warehouse.connection() as connection:\n"
        "    alerts.observe(connection, [Finding('a table is behind', 'people_conversations', None, '7')])\n"
        "alerts.deliver(warehouse)\n"
    )
    environment = {"CONVO_DATABASE_URL": world.url, "ALERT_URLS": mailbox.url}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    [message] = mailbox.mails
    assert message["Subject"] == "convo_pipelines: 1 begun"
    assert "a table is behind" in "".join(str(part.get_payload(decode=True)) for part in message.walk())


def test_addresses_of_receivers_are_told_to_nobody(
    world: World, environment: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    environment(ALERT_URLS="json://user:secret@127.0.0.1:9/alerts")
    with caplog.at_level("ERROR", "convo_pipelines"):
        observe(world, BEHIND)
    assert "could not be delivered" in caplog.text
    assert "secret" not in "".join(record.message for record in caplog.records if "convo" in record.name)
    assert "secret" not in str(world.execute("select * from analytics.alerts"))


def test_the_health_job_tells_and_fetches_the_heartbeat(
    quiet: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARTBEAT_URL", f"http://{receiver.address}/alive")
    settings.cache_clear()
    job = defs.resolve_job_def("health")
    assert job.execute_in_process(resources={"warehouse": quiet.warehouse}).success
    assert (receiver.heartbeats, len(receiver.messages)) == (1, 0)
    quiet.execute("update analytics.crew_discovery_state set consecutive_failures = 4, last_duration_ms = 31000")
    assert job.execute_in_process(resources={"warehouse": quiet.warehouse}).success
    assert (receiver.heartbeats, len(receiver.messages)) == (1, 1)
    assert "tick longer than 30 s: 31000 ms" in receiver.messages[0]["message"]


def test_a_check_that_turns_red_is_told_and_that_it_is_green_again(quiet: World, receiver: Receiver) -> None:
    quiet.say("s1")
    quiet.tick()
    instance = dg.DagsterInstance.ephemeral()
    cursor = None

    def look() -> None:
        nonlocal cursor
        quiet.run(tick_tags("test"), PIPELINE + LINKS, instance)
        dg.materialize(
            [*(defs.assets or ()), *(defs.asset_checks or ())],
            selection=dg.AssetSelection.all_asset_checks(),
            resources={"warehouse": quiet.warehouse, "narrowed": (defs.resources or {})["narrowed"]},
            instance=instance,
        )
        context = dg.build_sensor_context(instance, cursor, resources={"warehouse": quiet.warehouse})
        sensors.check_results(context)
        cursor = context.cursor

    look()
    assert receiver.messages == []
    quiet.execute("update analytics.crew_activity_daily set messages = messages + 1")
    look()
    look()
    [message] = receiver.messages
    assert "a check fails: every_crew_day_adds_up of crew_activity_daily" in message["message"]
    assert "https://dagster.example/assets/crew_activity_daily?view=checks" in message["message"]
    quiet.reconcile()
    look()
    assert [message["title"] for message in receiver.messages[1:]] == ["convo_pipelines: 1 over"]


def test_a_run_that_fails_for_good_is_told_but_not_one_that_is_tried_again(quiet: World, receiver: Receiver) -> None:
    instance = dg.DagsterInstance.ephemeral()
    job = defs.resolve_job_def("reconcile")
    quiet.crew("B", create=False)
    cursor = None

    def run(**tags: str) -> None:
        resources = {"warehouse": quiet.warehouse}
        job.execute_in_process(instance=instance, resources=resources, tags=tags, raise_on_error=False)

    def look() -> None:
        nonlocal cursor
        context = dg.build_sensor_context(instance, cursor, resources={"warehouse": quiet.warehouse})
        sensors.run_results(context)
        cursor = context.cursor

    def away(*_: object) -> None:
        raise psycopg.OperationalError("the database is away")

    run(**{"dagster/will_retry": "true"})
    look()
    assert receiver.messages == []
    run()
    run()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alerts, "begin", away)
        with pytest.raises(psycopg.Error):
            look()
    look()
    [message] = receiver.messages
    assert "a run failed: reconcile" in message["message"]
    quiet.execute("delete from app.crews where crew_code = 'B'")
    run()
    look()
    assert receiver.messages[-1]["title"] == "convo_pipelines: 1 over"


def test_a_run_against_an_old_schema_says_so_in_a_line(world: World) -> None:
    world.execute(DAMAGES[health.SCHEMA])
    result = world.tick(["histories_sessions"], expect=False)
    [failure, *_] = result.get_step_failure_events()
    assert "the database lacks 0029_terms: run `convo-pipelines" in str(failure.step_failure_data.error)
