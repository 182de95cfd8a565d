"""It runs by itself, and somebody hears when it does not."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import connections, warehouse
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import alerts, health
from convo_pipelines.operations.health import Finding
from convo_pipelines.settings import Settings
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.receivers import Mailbox, Receiver
from convo_pipelines_tests.world import World

BEHIND = Finding("a table is behind", "people_conversations", None, "7 changes wait")
PROBLEM = "a table is behind: people_conversations"


def observe(world: World, *findings: Finding) -> None:
    with world.warehouse.connection() as connection:
        alerts.observe(connection, findings)
    alerts.deliver(world.warehouse)


def kinds(world: World) -> set[tuple[str, str]]:
    return {(finding.kind, finding.subject) for finding in health.look(world.warehouse)}


@both_servers_if_wide
def test_a_pipeline_that_is_up_to_date_is_healthy(quiet: World) -> None:
    assert health.look(quiet.warehouse) == []


DAMAGES = {
    "a table is behind": (
        "insert into app.conversations (channel) values ('chat');"
        "update analytics.conversations_changes set logged_at = now() - interval '11 minutes'"
    ),
    "a table was never built": "delete from analytics.refresh_state where asset_key = 'people_conversations';"
    "update analytics.trim_state set trimmed_at = now() - interval '11 minutes'",
    "a crew is behind": "update analytics.crew_discovery_state set consecutive_failures = 4",
    "a table is not captured": "update analytics.capture_state set mode = 'uncaptured' where table_name = 'messages'",
    "a table fails": "update analytics.refresh_state set last_error = 'it broke', written_by = pg_current_xact_id(),"
    "failing_since = now() - interval '2 minutes' where asset_key = 'people_conversations'",
    "rows of a child are left out": (
        "create table app.more_people () inherits (app.people);"
        "insert into app.more_people (id, client_id, name) select id, id, '' from app.clients"
    ),
    "a right is missing": "alter function analytics.log_messages() owner to pg_monitor",
    "a log is large": "update pg_class set reltuples = 6000000 where relname = 'session_changes'",
    "the lake is behind": "insert into analytics.lake_state (table_name, attempted_at) "
    "values ('conversation_days', now() - interval '25 hours')",
    "alerts are not delivered": (
        "insert into analytics.alerts (source, kind, subject, found, remedy, failed_deliveries, last_error)"
        "values ('health', 'k', 's', 'f', 'r', 1, 'delivery failed to 1 of 1 receivers')"
    ),
    "the database came from another server": "update analytics.refresh_state set written_by = '7'",
    health.SCHEMA: "update analytics.schema_migrations set checksum = '0.0.1 x' where name = 'code'",
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_finding_is_found_and_says_what_to_do(quiet: World, kind: str) -> None:
    quiet.execute(DAMAGES[kind])
    found = health.look(quiet.warehouse)
    assert {finding.kind for finding in found} == {kind}
    assert set(health.REMEDIES) - set(DAMAGES) == {
        "a transaction holds snapshots back",
        "a table is locked",
        "the disk is nearly full",
        health.AWAY,
        health.RELEASED,
    }
    assert json.loads(health.report(found))["healthy"] is False


@both_servers
def test_an_old_transaction_is_named(quiet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "OLDEST_TRANSACTION", health.timedelta(0))
    with psycopg.connect(quiet.url) as holding:
        holding.execute("create temporary table held (id int)")
        [pid] = holding.execute("select pg_backend_pid()").fetchone() or ()
        assert kinds(quiet) == {("a transaction holds snapshots back", f"pid {pid}")}


@both_servers
def test_a_lock_that_lets_ticks_fail_is_named_with_who_holds_it_and_what_ends_it(
    quiet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(quiet.url) as holding:
        holding.execute("lock table app.messages in access exclusive mode")
        assert kinds(quiet) == set()  # for less than a minute
        monkeypatch.setattr(health, "LONGEST_LOCK", health.timedelta(0))
        [finding] = health.look(quiet.warehouse)
        pid = holding.info.backend_pid
    assert (finding.kind, finding.subject) == ("a table is locked", "app.messages")
    assert f"app.messages is locked by pid {pid} of" in finding.found
    assert f"select pg_terminate_backend({pid})" in finding.found
    assert finding.since


def test_a_disk_that_is_nearly_full_is_told(quiet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with quiet.warehouse.connection() as connection:
        disk = health.disk_of(connection)
    assert disk
    assert 0 < disk.free < disk.total
    monkeypatch.setattr(health, "LEAST_FREE", 1)
    assert kinds(quiet) == {("the disk is nearly full", disk.path)}


def test_a_role_that_may_not_see_where_the_data_is_hears_nothing_of_the_disk(quiet: World) -> None:
    with quiet.warehouse.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("create role watcher")
        connection.execute("set local role watcher")
        assert health.disk_of(connection) is None


@pytest.fixture
def away() -> Iterator[Warehouse]:
    """A database that does not answer."""
    away = Warehouse("postgresql://convo:secret@127.0.0.1:9/app")
    yield away
    away.close()


def test_a_database_that_is_away_is_a_finding(away: Warehouse) -> None:
    [finding] = health.look(away)
    assert (finding.kind, finding.subject) == (health.AWAY, "app")
    assert "127.0.0.1" in finding.found
    assert "secret" not in health.report([finding])
    assert len(finding.found.splitlines()) == 1


Ask = Callable[..., Result]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command on a database."""

    def run(url: str, *arguments: str) -> Result:
        monkeypatch.setattr(warehouse, "database_url", lambda: url)
        return CliRunner().invoke(main, list(arguments))

    return run


def test_the_command_prints_json_though_the_database_is_away(away: Warehouse, ask: Ask) -> None:
    done = ask(away.url, "health")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["healthy"]) == (1, False)
    assert [finding["kind"] for finding in said["findings"]] == [health.AWAY]
    done = ask(away.url, "status")
    assert (done.exit_code, done.output.split(":")[:2]) == (1, ["Error", f" {health.AWAY}"])


def test_health_status_and_alerts_show_open_alerts_and_the_last_failed_run(
    quiet: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with quiet.warehouse.connection() as connection:
        for job in ("reconcile", "link_sync"):
            alerts.begin(connection, "runs", "a run failed", job, f"the cause of {job}", "…", "runs/1")
        alerts.end(connection, "runs", "reconcile")
        alerts.begin(connection, "checks", "a check fails", "no_orphans of people_conversations", "2", "…", "assets")
    done = ask(quiet.url, "health")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["healthy"], said["findings"]) == (0, True, [])
    assert {alert["subject"] for alert in said["open_alerts"]} == {"link_sync", "no_orphans of people_conversations"}
    assert (said["last_failed_run"]["job"], said["last_failed_run"]["error"]) == ("link_sync", "the cause of link_sync")
    assert 0 < said["disk"]["free"] < said["disk"]["total"]
    monkeypatch.setattr(health, "LONGEST_LOCK", health.timedelta(0))
    with psycopg.connect(quiet.url) as holding:
        holding.execute("lock table app.messages in access exclusive mode")
        shown = ask(quiet.url, "status").output
    for expected in ("app.messages is locked by pid", "no_orphans of people_conversations", "the cause of link_sync"):
        assert expected in " ".join(shown.split())
    listed = ask(quiet.url, "alerts").output
    assert listed.index("link_sync") < listed.index("reconcile")
    assert [row["subject"] for row in json.loads(ask(quiet.url, "alerts", "--days", "0", "--json").stdout)] == [
        "no_orphans of people_conversations",
        "link_sync",
    ]


def test_an_outage_is_told_at_the_second_look_once_and_kept_in_the_past_alerts(
    quiet: World, away: Warehouse, receiver: Receiver
) -> None:
    outage = None
    for messages in (0, 1, 1):
        outage = alerts.watch(away, outage and alerts.Outage.from_text(outage.as_text()))
        assert len(receiver.messages) == messages
    for _ in range(2):
        outage = alerts.watch(quiet.warehouse, outage)
    assert [(message["title"], message["type"]) for message in receiver.messages] == [
        ("convo_pipelines: 1 new: the database is away: app", "failure"),
        (f"convo_pipelines: 1 resolved: the database is away: {quiet.warehouse.name}", "success"),
    ]
    [past] = quiet.execute("select * from analytics.alerts")
    assert past["ended_at"] > past["notified_at"] > past["since"]


def test_an_outage_of_one_look_is_a_restart(quiet: World, away: Warehouse, receiver: Receiver) -> None:
    assert alerts.watch(quiet.warehouse, alerts.watch(away, None)) is None
    assert receiver.messages == []


def test_waiting_is_counted_from_the_write_of_the_application(quiet: World) -> None:
    contact = quiet.contact("ana@example.com")
    quiet.execute("update analytics.contact_methods_changes set logged_at = now() - interval '11 minutes'")
    assert kinds(quiet) == {("a table is behind", "participant_resolutions")}
    quiet.address(quiet.conversation(), contact)
    assert ("a table is behind", "people_conversations") in kinds(quiet)
    delays = {row["table_name"]: row["written_since"] for row in quiet.execute("select * from analytics.delays")}
    assert delays["clients_conversations"] == delays["participant_resolutions"] < delays["conversation_summaries"]
    quiet.tick()
    quiet.sync()
    assert not any(row["written_since"] for row in quiet.execute("select * from analytics.delays"))


@both_servers_if_wide
def test_one_message_when_it_begins_one_when_it_ends_and_one_a_day_in_between(world: World, receiver: Receiver) -> None:
    for _ in range(3):
        observe(world, BEHIND)
    assert [message["title"] for message in receiver.messages] == [f"convo_pipelines: 1 new: {PROBLEM}"]
    assert "a table is behind: people_conversations" in receiver.messages[0]["message"]
    assert BEHIND.remedy in receiver.messages[0]["message"]
    assert "https://dagster.example/" in receiver.messages[0]["message"]
    world.execute("update analytics.alerts set notified_at = notified_at - interval '1 day'")
    observe(world, BEHIND)
    observe(world)
    observe(world)
    titles = [message["title"] for message in receiver.messages]
    assert titles[1:] == [f"convo_pipelines: 1 ongoing: {PROBLEM}", f"convo_pipelines: 1 resolved: {PROBLEM}"]
    assert [message["type"] for message in receiver.messages] == ["failure", "warning", "success"]


def test_a_delivery_that_fails_is_tried_again_and_shows_in_health(quiet: World, receiver: Receiver) -> None:
    receiver.status = 500
    observe(quiet, BEHIND)
    assert receiver.messages == []
    assert kinds(quiet) == {("alerts are not delivered", "ALERT_URLS")}
    receiver.status = 200
    observe(quiet, BEHIND)
    assert len(receiver.messages) == 1
    assert health.look(quiet.warehouse) == []


def test_receivers_may_be_slow(quiet: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1)
    notify = alerts._notify
    monkeypatch.setattr(alerts, "_notify", lambda *given: time.sleep(2) or notify(*given))
    with closing(Warehouse(quiet.url)) as opened:
        with opened.connection() as connection:
            alerts.observe(connection, [BEHIND])
        alerts.deliver(opened)
        alerts.deliver(opened)
    assert len(receiver.messages) == 1


def test_one_dead_receiver_of_two_is_no_reason_to_tell_the_other_twice(
    world: World, receiver: Receiver, environment: Callable[..., None]
) -> None:
    environment(ALERT_URLS=f"json://127.0.0.1:9/dead json://{receiver.address}/alerts")
    for _ in range(3):
        observe(world, BEHIND)
    observe(world)
    assert [message["title"] for message in receiver.messages] == [
        f"convo_pipelines: 1 new: {PROBLEM}",
        f"convo_pipelines: 1 resolved: {PROBLEM}",
    ]


def test_where_nobody_is_told_nothing_is_owed(
    quiet: World, receiver: Receiver, environment: Callable[..., None]
) -> None:
    receiver.status = 500
    observe(quiet, BEHIND)
    environment(ALERT_URLS="")
    observe(quiet)
    assert health.look(quiet.warehouse) == []
    receiver.status = 200
    environment(ALERT_URLS=f"json://{receiver.address}/alerts")
    observe(quiet)
    assert receiver.messages == []


def history(world: World, days: int = 0) -> list[str]:
    with world.warehouse.connection() as connection:
        return [f"{row['found']}, {'ended' if row['ended_at'] else 'open'}" for row in alerts.history(connection, days)]


@both_servers
def test_alerts_that_have_ended_are_kept_for_a_year(world: World) -> None:
    for found in ("first", "second", "third"):
        observe(world, replace(BEHIND, found=found))
        observe(world, *[replace(BEHIND, found=found)] * (found == "third"))
    assert history(world) == ["third, open"]
    assert history(world, 7) == ["third, open", "second, ended", "first, ended"]
    world.execute("update analytics.alerts set ended_at = ended_at - interval '364 days' where found = 'second'")
    world.execute("update analytics.alerts set ended_at = ended_at - interval '367 days' where found = 'first'")
    observe(world)
    assert history(world, 7) == ["third, ended"]
    assert history(world, 365) == ["third, ended", "second, ended"]
    assert len(world.execute("select from analytics.alerts")) == 2


def test_a_fresh_database_is_given_time(world: World) -> None:
    world.execute("update analytics.trim_state set trimmed_at = now()")  # the template may be older
    assert health.look(world.warehouse) == []


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
    crews = "; ".join(f"a crew is behind: crew C{number:03}" for number in range(3))
    assert message["title"] == f"convo_pipelines: 200 new: {crews}; and 197 more"
    assert "and 190 more" in message["message"]


def test_addresses_of_receivers_are_told_to_nobody(
    world: World, environment: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    environment(ALERT_URLS="json://user:secret@127.0.0.1:9/alerts")
    with caplog.at_level("ERROR", "convo_pipelines"):
        observe(world, BEHIND)
    assert "could not be delivered" in caplog.text
    assert "secret" not in "".join(record.message for record in caplog.records if "convo" in record.name)
    assert "secret" not in str(world.execute("select * from analytics.alerts"))


def test_a_test_says_which_receivers_took_it(
    connected: World, mailbox: Mailbox, environment: Callable[..., Settings]
) -> None:
    def tested(urls: str) -> tuple[int, str]:
        environment(CONVO_DATABASE_URL=connected.url, ALERT_URLS=urls)
        done = CliRunner().invoke(main, ["alerts", "test"])
        return done.exit_code, done.output

    assert tested("") == (1, "Error: ALERT_URLS is not set: nobody is notified of problems\n")
    assert tested(mailbox.url) == (0, "1 of 1 receivers took it\n")
    assert mailbox.mails[0]["Subject"] == "convo_pipelines: a test"
    code, output = tested(f"{mailbox.url} nonsense://s3cret")
    assert (code, "receiver 2 of 2 did not take it" in output, "1 of 2 receivers took it" in output) == (1, True, True)
    assert "s3cret" not in output
