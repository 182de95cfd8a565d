"""It runs by itself, and somebody hears when it does not."""

import json
from collections.abc import Callable

import psycopg
import pytest

from convo_pipelines.operations import alerts, health
from convo_pipelines.operations.health import Finding
from convo_pipelines_tests.catalogs import NEWEST
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.receivers import Receiver
from convo_pipelines_tests.world import World

BEHIND = Finding("a table is behind", "people_conversations", None, "7 changes wait")


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
        "update analytics.conversation_changes set logged_at = now() - interval '11 minutes'"
    ),
    "a table was never built": "delete from analytics.refresh_state where asset_key = 'people_conversations';"
    "update analytics.trim_state set trimmed_at = now() - interval '11 minutes'",
    "a crew is behind": "update analytics.crew_discovery_state set consecutive_failures = 4",
    "a table is not captured": "update analytics.capture_state set mode = 'window' where table_name = 'messages'",
    "a right is missing": "alter function analytics.log_messages() owner to pg_monitor",
    "a log is large": "update pg_class set reltuples = 6000000 where relname = 'session_changes'",
    "alerts are not delivered": (
        "insert into analytics.alerts (source, kind, subject, found, remedy, failed_deliveries, last_error)"
        "values ('health', 'k', 's', 'f', 'r', 1, 'delivery failed to 1 of 1 receivers')"
    ),
    "the database came from another server": "update analytics.refresh_state set written_by = '7'",
    health.SCHEMA: "update analytics.schema_migrations set version_num = '0028_analytics_baseline'"
    f" where version_num = '{NEWEST}'",
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


@both_servers_if_wide
def test_one_message_when_it_begins_one_when_it_ends_and_one_a_day_in_between(world: World, receiver: Receiver) -> None:
    for _ in range(3):
        observe(world, BEHIND)
    assert [message["title"] for message in receiver.messages] == ["convo_pipelines: 1 new"]
    assert "a table is behind: people_conversations" in receiver.messages[0]["message"]
    assert BEHIND.remedy in receiver.messages[0]["message"]
    assert "https://dagster.example/" in receiver.messages[0]["message"]
    world.execute("update analytics.alerts set notified_at = notified_at - interval '1 day'")
    observe(world, BEHIND)
    observe(world)
    observe(world)
    titles = [message["title"] for message in receiver.messages]
    assert titles[1:] == ["convo_pipelines: 1 ongoing", "convo_pipelines: 1 resolved"]
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
        "convo_pipelines: 1 new",
        "convo_pipelines: 1 resolved",
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
    assert message["title"] == "convo_pipelines: 200 new"
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
