"""A tick asks first: it is skipped with a reason, or launches one run, which names the days that it touched."""

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.definitions.freshness_evaluator import TimeWindowFreshnessPolicyEvaluator
from dagster._core.loader import LoadingContextForTest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import freeze_time
from dagster._time import get_current_datetime

from convo_pipelines import definitions
from convo_pipelines.engine import change_log, leases
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS
from convo_pipelines.orchestration import crons, freshness
from convo_pipelines.orchestration.automation import jobs, schedules
from convo_pipelines.orchestration.partitions import TICK_TAG
from convo_pipelines.serving.follow import Follower
from convo_pipelines.settings import settings
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at, metadata


def evaluate(
    world: World, instance: dg.DagsterInstance, name: str = "conversation_discovery"
) -> dg.RunRequest | dg.SkipReason:
    schedule = getattr(schedules, f"{name}_schedule")
    context = dg.build_schedule_context(instance, scheduled_execution_time=get_current_datetime())
    return schedule(context) if name == "reconcile" else schedule(context, warehouse=world.warehouse)


def seen(world: World, instance: dg.DagsterInstance) -> None:
    """A pipeline that is up to date, as Dagster knows."""
    world.materialize([*PIPELINE, *LINKS], instance=instance)


def test_a_tick_is_not_queued_twice(world: World, instance: dg.DagsterInstance) -> None:
    requested = evaluate(world, instance)
    assert isinstance(requested, dg.RunRequest)
    location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    job = RemoteJobOrigin(location, "conversation_discovery")
    queued = dg.DagsterRunStatus.QUEUED
    run = dg.DagsterRun(job.job_name, tags=requested.tags, status=queued, remote_job_origin=job)
    instance.add_run(run)
    skipped = evaluate(world, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "still queued" in (skipped.skip_message or "")
    instance.report_run_canceled(run)
    assert isinstance(evaluate(world, instance), dg.RunRequest)


def states(instance: dg.DagsterInstance) -> set[FreshnessState]:
    """The freshness of the derived tables, as the daemon determines it."""
    graph, evaluator = definitions.defs.resolve_asset_graph(), TimeWindowFreshnessPolicyEvaluator()
    nodes = [graph.get(dg.AssetKey(table.name)) for table in DERIVED_TABLES]

    def state(node: AssetNode) -> FreshnessState:
        return asyncio.run(evaluator.evaluate_freshness(context=LoadingContextForTest(instance), node=node))

    with ThreadPoolExecutor(1) as thread:  # in this one, a browser of other tests may have an event loop
        return set(thread.map(state, nodes))


@pytest.fixture
def two_ticks(environment: Callable[..., None]) -> Iterator[None]:
    """Schedules whose cron expressions differ, so that the links have a tick of their own."""
    environment(LINK_SYNC_CRON="*/10 * * * *")
    for module in (jobs, schedules):
        importlib.reload(module)
    yield
    environment(LINK_SYNC_CRON="*/5 * * * *")
    for module in (jobs, schedules):
        importlib.reload(module)


def days_of(instance: dg.DagsterInstance, asset: str) -> set[str]:
    events = instance.fetch_materializations(dg.AssetKey(asset), limit=1_000).records
    return {str(event.partition_key) for event in events}


def test_new_rows_launch_one_run_which_names_their_days_then_the_tick_is_skipped(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.crew()
    seen(world, instance)
    today = datetime.now(UTC)
    for when in (at(0), at(-700), at(-9000), today, today + timedelta(days=900)):
        world.say("s1", "human", when)
    request = evaluate(world, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["dagster/partition"] == today.date().isoformat()
    job = definitions.defs.resolve_job_def("conversation_discovery")
    began = time.monotonic()
    result = job.execute_in_process(instance=instance, tags=request.tags, resources={"warehouse": world.warehouse})
    print(f"a tick over two rows years apart took {time.monotonic() - began:.2f} s in all")
    assert metadata(result, "conversation_summaries")["rows_inserted"] == 1
    assert metadata(result, "histories_sessions")["days_touched"] == 5
    named = {today.date().isoformat(), at(0).date().isoformat(), at(-700).date().isoformat()}
    assert days_of(instance, "histories_sessions") == named  # of the days that are partitions
    assert len(instance.all_logs(result.run_id)) < 200
    assert {check.check_name for check in result.get_asset_check_evaluations()} >= {"every_crew_succeeded"}
    assert "every_message_is_counted" not in {check.check_name for check in result.get_asset_check_evaluations()}
    skipped = evaluate(world, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "nothing has changed" in (skipped.skip_message or "")


def test_a_changed_conversation_alone_launches_a_run(world: World, instance: dg.DagsterInstance) -> None:
    talk = world.conversation()
    world.message(talk, when=at(1))
    seen(world, instance)
    assert isinstance(evaluate(world, instance), dg.SkipReason)
    world.execute("update app.conversations set closed_at = now()")
    assert isinstance(evaluate(world, instance), dg.RunRequest)


def test_a_failing_crew_is_tried_again_at_every_tick(world: World, instance: dg.DagsterInstance) -> None:
    world.crew("A")
    world.crew("B", create=False)
    world.tick()
    assert isinstance(evaluate(world, instance), dg.RunRequest)


def test_a_tick_waits_for_the_one_before_as_long_as_that_holds_its_lease(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.crew()
    world.say("s1")
    with leases.hold(world.warehouse, [HISTORIES_SESSIONS]) as lease:
        skipped = evaluate(world, instance)
        assert lease.tables
        assert lease.holder in (skipped.skip_message or "")
        assert metadata(world.materialize(["histories_sessions"]), "histories_sessions")["rows_inserted"] == 0
    assert isinstance(evaluate(world, instance), dg.RunRequest)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.0)
    dead = leases.Lease(world.warehouse, [HISTORIES_SESSIONS.name])
    assert dead.take()
    assert isinstance(evaluate(world, instance), dg.RunRequest)
    assert metadata(world.materialize(), "histories_sessions")["rows_inserted"] == 1


def test_a_followed_table_is_left_to_its_follower_until_that_dies(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    world.materialize([table.name for table in DERIVED_TABLES], instance=instance)
    follower = Follower(world.warehouse)
    follower.step()
    world.say("s1")
    skipped = evaluate(world, instance)
    assert skipped.skip_message == f"followed by {change_log.process()}"
    world.execute("update analytics.refresh_state set lease_until = now(), written_by = pg_current_xact_id()")
    assert isinstance(evaluate(world, instance), dg.RunRequest)
    follower.step()
    follower.end()
    oracle.assert_right(world)


def test_a_run_that_is_started_for_ever_stops_no_schedule(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    job = definitions.defs.resolve_job_def("conversation_discovery")
    instance.create_run_for_job(job, tags={TICK_TAG: "conversation_discovery"}, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(evaluate(world, instance), dg.RunRequest)


@pytest.mark.usefixtures("two_ticks")
def test_a_changed_recipient_launches_a_link_sync_then_it_is_skipped(
    world: World, instance: dg.DagsterInstance
) -> None:
    talk = world.conversation()
    world.materialize(LINKS, instance=instance)
    assert isinstance(evaluate(world, instance, "link_sync"), dg.SkipReason)
    world.address(talk, world.contact("ana@example.com", world.person()))
    request = evaluate(world, instance, "link_sync")
    job = definitions.defs.resolve_job_def("link_sync")
    result = job.execute_in_process(instance=instance, tags=request.tags, resources={"warehouse": world.warehouse})
    assert metadata(result, "people_conversations")["rows_inserted"] == 1
    skipped = evaluate(world, instance, "link_sync")
    assert "nothing has changed" in (skipped.skip_message or "")


def test_links_that_are_due_at_the_same_times_come_with_the_sessions_in_one_run(
    world: World, instance: dg.DagsterInstance
) -> None:
    ana = world.person(phone="+4915112345678")
    world.crew()
    seen(world, instance)
    world.say("4915112345678")
    request = evaluate(world, instance)
    assert "same cron expression" in str(evaluate(world, instance, "link_sync"))
    job = definitions.defs.resolve_job_def("conversation_discovery")
    job.execute_in_process(instance=instance, tags=request.tags, resources={"warehouse": world.warehouse})
    assert {person for person, _ in world.linked()} == {ana}
    assert "nothing has changed" in str(evaluate(world, instance))


def test_links_have_a_tick_of_their_own_while_discovery_fails(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    talk = world.conversation()
    seen(world, instance)
    world.execute("drop table app.histories_a")
    job = definitions.defs.resolve_job_def("conversation_discovery")
    for _ in range(2):
        world.address(talk, world.contact(f"ana{_}@example.com", world.person()))
        request = evaluate(world, instance)
        failed = job.execute_in_process(
            instance=instance, tags=request.tags, resources={"warehouse": world.warehouse}, raise_on_error=False
        )
        assert not failed.success
        links = evaluate(world, instance, "link_sync")
        assert isinstance(links, dg.RunRequest)
        result = definitions.defs.resolve_job_def("link_sync").execute_in_process(
            instance=instance, tags=links.tags, resources={"warehouse": world.warehouse}
        )
        assert metadata(result, "people_conversations")["rows_inserted"] == 1


def test_quiet_nights_stay_fresh(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    world.message(world.conversation())
    assert states(instance) == {FreshnessState.UNKNOWN}
    seen(world, instance)
    keys = [dg.AssetKey(table.name) for table in DERIVED_TABLES]
    evening = datetime.now(UTC)
    for hours in (1, 2, 3):
        with freeze_time(evening + timedelta(hours=hours, minutes=2)):
            assert "nothing has changed" in str(evaluate(world, instance))
            assert states(instance) == {FreshnessState.PASS}
            before = [instance.get_latest_materialization_event(key) for key in keys]
            evaluate(world, instance)  # within the hour: nothing is reported
            assert [instance.get_latest_materialization_event(key) for key in keys] == before
    newest = instance.get_latest_materialization_event(dg.AssetKey("conversation_summaries")).asset_materialization
    assert newest.metadata["dagster/row_count"].value == 1
    with freeze_time(evening + timedelta(hours=12)):  # the daemon was down
        assert states(instance) == {FreshnessState.FAIL}


def test_when_nothing_is_new_one_query_tells_when_each_table_was_last_materialized(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.crew()
    seen(world, instance)
    queries: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        queries.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        assert "nothing has changed" in str(evaluate(world, instance))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len([query for query in queries if "FROM asset_keys" in query]) == 1


@pytest.mark.parametrize(
    ("cron", "pause"),
    [("*/5 * * * *", timedelta(minutes=5)), ("0 8-18 * * 1-5", timedelta(hours=62)), ("0 2 1 * *", timedelta(days=31))],
)
def test_a_table_may_be_as_old_as_its_schedule_makes_it(cron: str, pause: timedelta) -> None:
    assert freshness.longest_pause(cron) == pause


def test_what_was_built_without_dagster_is_taken_over_by_a_run(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    world.tick([*PIPELINE, *LINKS])
    assert isinstance(evaluate(world, instance), dg.RunRequest)
    seen(world, instance)
    assert isinstance(evaluate(world, instance), dg.SkipReason)


def test_reconcile_observes_drift_on_each_asset(world: World, instance: dg.DagsterInstance) -> None:
    contact = world.contact("ana@example.com", world.person())
    world.address(world.conversation(), contact)
    assert isinstance(evaluate(world, instance, "reconcile"), dg.RunRequest)
    job = definitions.defs.resolve_job_def("reconcile")
    result = job.execute_in_process(instance=instance, resources={"warehouse": world.warehouse})
    assert result.success
    observed = {event.asset_key.to_user_string(): event for event in result.get_asset_observation_events()}
    assert set(observed) == {table.name for table in DERIVED_TABLES}
    world.execute("delete from analytics.clients_conversations")
    result = job.execute_in_process(instance=instance, resources={"warehouse": world.warehouse})
    [event] = [e for e in result.get_asset_observation_events() if e.asset_key.path[-1] == "clients_conversations"]
    assert event.asset_observation_data.asset_observation.metadata["drift_inserted"].value == 1
    instance.create_run_for_job(job, tags={TICK_TAG: "reconcile"}, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(evaluate(world, instance, "reconcile"), dg.RunRequest)


def test_a_crew_that_cannot_be_compared_fails_the_reconcile_after_all_else(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.crew("B", create=False)
    world.address(world.conversation(), world.contact("ana@example.com", world.person()))
    job = definitions.defs.resolve_job_def("reconcile")
    result = job.execute_in_process(instance=instance, resources={"warehouse": world.warehouse}, raise_on_error=False)
    assert not result.success
    assert len(world.execute("select from analytics.people_conversations")) == 1


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("conversation_discovery_cron", "*/5 * * * *"),
        ("link_sync_cron", "*/5 * * * *"),
        ("reconcile_cron", "0 2 * * *"),
        ("report_cron", "0 6 * * 1"),
    ],
)
def test_cron_expressions_come_from_the_environment(environment: object, name: str, default: str) -> None:
    environment()
    assert crons.cron(name) == default
    environment(**{name.upper(): "0 3 * * *"})
    assert crons.cron(name) == "0 3 * * *"


def test_arrays_of_projects_are_rewritten_on_a_schedule_if_one_is_set(environment: object, world: World) -> None:
    environment(PROJECT_ARRAYS_CRON="")
    assert schedules.optional_schedules() == []
    environment(PROJECT_ARRAYS_CRON="often")
    assert schedules.optional_schedules() == []
    environment(PROJECT_ARRAYS_CRON="30 * * * *")
    [schedule] = schedules.optional_schedules()
    assert (schedule.name, schedule.cron_schedule) == ("project_arrays_schedule", "30 * * * *")
    talk = world.conversation(project_id=world.project())
    found = dg.Definitions(schedules=[schedule], resources={"warehouse": world.warehouse})
    job = found.resolve_job_def(schedule.job_name)
    assert job.execute_in_process().success
    assert world.execute("select conversation_ids from app.projects") == [{"conversation_ids": [talk]}]
    world.execute("alter table app.projects drop column conversation_ids")
    assert job.execute_in_process().success


def test_the_report_is_scheduled_weekly_in_utc() -> None:
    schedule = definitions.defs.resolve_schedule_def("activity_report_schedule")
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        "activity_report",
        "0 6 * * 1",
        "UTC",
    )
    selected = definitions.defs.resolve_job_def("activity_report").asset_layer.selected_asset_keys
    assert selected == {dg.AssetKey("activity_report")}


@pytest.mark.parametrize(("value", "status"), [("true", "RUNNING"), ("false", "STOPPED")])
def test_background_jobs_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, value: str, status: str) -> None:
    monkeypatch.setenv("ENABLE_BACKGROUND_JOBS", value)
    settings.cache_clear()
    fresh = importlib.reload(schedules)
    assert fresh.conversation_discovery_schedule.default_status.name == status
    monkeypatch.undo()
    settings.cache_clear()
    importlib.reload(schedules)
