"""What Dagster's jobs and sensors tell of failures and of an old schema."""

import warnings

import dagster as dg
import psycopg
import pytest

from convo_pipelines.definitions import defs
from convo_pipelines.operations import alerts, health
from convo_pipelines.orchestration.automation import sensors
from convo_pipelines.settings import settings
from convo_pipelines_tests.catalogs import ANALYTICS
from convo_pipelines_tests.database.test_health import DAMAGES
from convo_pipelines_tests.receivers import Receiver
from convo_pipelines_tests.world import LINKS, PIPELINE, World


def test_an_old_schema_is_told(quiet: World, receiver: Receiver) -> None:
    quiet.execute(DAMAGES[health.SCHEMA])
    assert defs.resolve_job_def("health").execute_in_process(resources={"warehouse": quiet.warehouse}).success
    [message] = receiver.messages
    assert f"missing: {', '.join(ANALYTICS[1:])}" in message["message"]


def test_what_postgresql_quotes_of_a_row_is_not_kept(world: World) -> None:
    world.crew()
    world.execute("alter table analytics.conversation_summaries add constraint short check (length(session_id) < 5)")
    world.say("+4915112345678")
    instance = dg.DagsterInstance.ephemeral()
    world.materialize(instance=instance, expect=False)
    kept = "".join(entry.to_json() for run in instance.get_runs() for entry in instance.all_logs(run.run_id))
    assert "violates check constraint" in kept
    assert "4915112345678" not in kept


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
        quiet.materialize(PIPELINE + LINKS, instance=instance)
        quiet.evaluations(instance)
        context = dg.build_sensor_context(instance, cursor, resources={"warehouse": quiet.warehouse})
        with warnings.catch_warnings():
            warnings.filterwarnings("error", ".*get_event_records")
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
    assert [message["title"] for message in receiver.messages[1:]] == ["convo_pipelines: 1 resolved"]


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
        with warnings.catch_warnings():
            warnings.filterwarnings("error", ".*get_event_records")
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
    assert receiver.messages[-1]["title"] == "convo_pipelines: 1 resolved"


def test_a_run_against_an_old_schema_says_so_in_a_line(world: World) -> None:
    world.execute(DAMAGES[health.SCHEMA])
    result = world.materialize(["histories_sessions"], expect=False)
    [failure, *_] = result.get_step_failure_events()
    assert f"the database lacks {', '.join(ANALYTICS[1:])}: run `convo-pipelines" in str(
        failure.step_failure_data.error
    )
