"""What Dagster's jobs and sensors tell of failures and of an old schema."""

import warnings

import dagster as dg
import psycopg
import pytest

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.definitions import defs
from convo_pipelines.operations import alerts, health
from convo_pipelines.orchestration.automation import sensors
from convo_pipelines.settings import settings
from convo_pipelines_tests.database.test_health import DAMAGES
from convo_pipelines_tests.receivers import Receiver
from convo_pipelines_tests.world import LINKS, PIPELINE, World


def test_an_old_schema_is_told(quiet: World, receiver: Receiver) -> None:
    quiet.execute(DAMAGES[health.SCHEMA])
    assert defs.resolve_job_def("health").execute_in_process(resources={"warehouse": quiet.warehouse}).success
    [message] = receiver.messages
    assert "missing: code" in message["message"]


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
    assert message["title"] == "convo_pipelines: 1 new: a check fails: every_crew_day_adds_up of crew_activity_daily"
    assert "1 offender, the first: " in message["message"]
    assert "materialize crew_activity_daily for the days shown" in message["message"]
    assert "https://dagster.example/assets/crew_activity_daily?view=checks" in message["message"]
    quiet.reconcile()
    look()
    assert [message["title"] for message in receiver.messages[1:]] == [
        "convo_pipelines: 1 resolved: a check fails: every_crew_day_adds_up of crew_activity_daily"
    ]


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
    [newest] = instance.get_runs(limit=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alerts, "begin", away)
        with pytest.raises(psycopg.Error):
            look()
    look()
    [message] = receiver.messages
    assert message["title"] == "convo_pipelines: 1 new: a run failed: reconcile"
    assert "compare_everything: these crews could not be compared, all others were: B: " in message["message"]
    assert message["message"].endswith(f"https://dagster.example/runs/{newest.run_id}")
    quiet.execute("delete from app.crews where crew_code = 'B'")
    run()
    look()
    assert receiver.messages[-1]["title"] == "convo_pipelines: 1 resolved: a run failed: reconcile"


def test_a_run_that_a_lock_fails_says_who_holds_it_and_a_killed_one_that_it_was_killed(
    quiet: World, receiver: Receiver
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    quiet.message(quiet.conversation())
    with psycopg.connect(quiet.url) as holding:
        holding.execute("lock table app.messages in access exclusive mode")
        quiet.materialize(["conversation_summaries"], instance=instance, expect=False)
        pid = holding.info.backend_pid
    killed = instance.create_run_for_job(defs.resolve_job_def("health"))
    instance.report_engine_event("Run execution process unexpectedly exited with exit code -9.", killed)
    instance.report_run_failed(killed)
    context = dg.build_sensor_context(instance, resources={"warehouse": quiet.warehouse})
    sensors.run_results(context)
    [message] = receiver.messages
    assert f"app.messages is locked by pid {pid} of" in message["message"]
    assert f"select pg_terminate_backend({pid})" in message["message"]
    assert "unexpectedly exited with exit code -9" in message["message"]
    assert "was killed" in message["message"]


def test_a_red_check_is_run_again_until_its_alert_has_ended(quiet: World) -> None:
    quiet.say("s1")
    quiet.tick()
    instance = dg.DagsterInstance.ephemeral()
    resources = {"warehouse": quiet.warehouse}
    cursor = None

    def look() -> dg.RunRequest | dg.SkipReason:
        nonlocal cursor
        context = dg.build_sensor_context(instance, cursor, resources=resources)
        sensors.check_results(context)
        cursor = context.cursor
        asked = sensors.red_checks(dg.build_sensor_context(instance, resources=resources))
        assert isinstance(asked, dg.RunRequest | dg.SkipReason)
        return asked

    quiet.execute("update analytics.crew_activity_daily set messages = messages + 1")
    quiet.evaluations(instance)
    quiet.execute(
        "insert into analytics.alerts (source, kind, subject, found, remedy) "
        "values ('checks', 'a check fails', 'a_check_of_old of crew_activity_daily', '…', '…')"
    )
    asked = look()
    assert isinstance(asked, dg.RunRequest)
    assert asked.asset_check_keys == [dg.AssetCheckKey(dg.AssetKey("crew_activity_daily"), "every_crew_day_adds_up")]
    quiet.reconcile()
    job = defs.resolve_job_def("all_checks").get_subset(asset_check_selection=set(asked.asset_check_keys))
    assert job.execute_in_process(asked.run_config, instance=instance, resources=resources, tags=asked.tags).success
    assert isinstance(look(), dg.SkipReason)
    assert not quiet.execute("select from analytics.alerts where ended_at is null")


def test_red_checks_take_a_tenth_of_the_time_at_most(quiet: World) -> None:
    subject = "every_crew_day_adds_up of crew_activity_daily"
    quiet.execute(
        "insert into analytics.alerts (source, kind, subject, found, remedy) "
        "values ('checks', 'a check fails', %s, '…', '…')",
        subject,
    )
    instance = dg.DagsterInstance.ephemeral()
    context = dg.build_sensor_context(instance, resources={"warehouse": quiet.warehouse})
    asked = sensors.red_checks(context)
    assert isinstance(asked, dg.RunRequest)
    run = instance.create_run_for_job(defs.resolve_job_def("all_checks"), tags=asked.tags)
    assert isinstance(sensors.red_checks(context), dg.SkipReason)
    instance.report_run_failed(run)
    assert isinstance(sensors.red_checks(context), dg.RunRequest)


def test_an_outage_is_kept_by_the_sensor_that_finds_it(quiet: World, receiver: Receiver) -> None:
    away, cursor = Warehouse("postgresql://127.0.0.1:9/app"), None
    for warehouse in (away, away, quiet.warehouse):
        context = dg.build_sensor_context(cursor=cursor, resources={"warehouse": warehouse})
        sensors.database_outages(context)
        cursor = context.cursor
    assert [message["title"].split(":")[1] for message in receiver.messages] == [" 1 new", " 1 resolved"]
    assert defs.resolve_job_def("health").execute_in_process(resources={"warehouse": away}).success
    assert receiver.heartbeats == 0
    away.close()


def test_a_run_against_an_old_schema_says_so_in_a_line(world: World) -> None:
    world.execute(DAMAGES[health.SCHEMA])
    result = world.materialize(["histories_sessions"], expect=False)
    [failure, *_] = result.get_step_failure_events()
    assert "the database lacks code: run `convo-pipelines" in str(failure.step_failure_data.error)
