"""How runs end that fail or are cancelled: at once, with the message first, and tried again only where that helps."""

import signal
from contextlib import AbstractContextManager

import dagster as dg
import psycopg
import pytest

from convo_pipelines.definitions import defs
from convo_pipelines.orchestration.assets import common
from convo_pipelines_tests import oracle
from convo_pipelines_tests.database.test_refresh import MARCH, chat
from convo_pipelines_tests.interrupts import assert_nothing_goes_on, interrupted, refreshes_wait
from convo_pipelines_tests.world import World


def kinds_of(instance: dg.DagsterInstance) -> list[str]:
    """The kinds of events of the only run."""
    [run] = instance.get_runs()
    return [entry.dagster_event.event_type_value for entry in instance.all_logs(run.run_id) if entry.dagster_event]


def materialized(instance: dg.DagsterInstance) -> set[str]:
    keys = (key.to_user_string() for key in instance.all_asset_keys())
    return {key for key in keys if instance.get_materialized_partitions(dg.AssetKey(key))}


def cancelled(world: World, instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """Cancel the run of this process, as Dagster's run launcher does, as soon as a statement lasts."""
    return interrupted(world, signal.SIGINT, lambda: instance.report_run_canceling(instance.get_runs()[0]))


def test_a_run_that_is_cancelled_in_mid_step_ends_there(world: World, instance: dg.DagsterInstance) -> None:
    world.crew()
    chat(world)
    with refreshes_wait(world, "conversation_summaries"), cancelled(world, instance):
        world.materialize(days=(MARCH, MARCH), instance=instance, expect=False)
    assert_nothing_goes_on(world)
    [run] = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert "STEP_UP_FOR_RETRY" not in kinds_of(instance)
    assert materialized(instance) == {"histories_sessions", "crew_activity_daily", "crew_conversations"}
    assert not world.execute("select from analytics.conversation_summaries")
    world.materialize(days=(MARCH, MARCH))
    oracle.assert_right(world)


@pytest.mark.parametrize("job", ["reconcile", "all_checks"])
def test_a_job_that_is_cancelled_ends_there(world: World, instance: dg.DagsterInstance, job: str) -> None:
    world.crew()
    world.tick()
    world.conversation()
    world.execute("alter table app.conversations rename to all_conversations")
    world.execute(
        "create view app.conversations as select all_conversations.* from app.all_conversations, pg_sleep(600)"
    )
    with cancelled(world, instance):
        defs.resolve_job_def(job).execute_in_process(
            instance=instance, resources={"warehouse": world.warehouse}, raise_on_error=False
        )
    assert_nothing_goes_on(world)
    [run] = instance.get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED


PASSING = [psycopg.errors.DeadlockDetected("deadlock"), psycopg.OperationalError("the connection is lost")]
LASTING = [psycopg.errors.QueryCanceled("an operator cancelled it"), psycopg.errors.UndefinedTable("no such table")]


@pytest.mark.parametrize("error", [*PASSING, *LASTING], ids=lambda error: type(error).__name__)
def test_a_step_is_tried_again_only_after_an_error_that_passes_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch, error: psycopg.Error
) -> None:
    errors = [error]

    def fail_once(*_: object) -> None:
        while errors:
            raise errors.pop()

    instance = dg.DagsterInstance.ephemeral()
    monkeypatch.setattr(common.schema, "require", fail_once)
    passes = error in PASSING
    result = world.materialize(["people_conversations"], instance=instance, expect=passes)
    assert ("STEP_UP_FOR_RETRY" in kinds_of(instance)) is passes
    if not passes:
        [failure] = result.get_step_failure_events()
        assert f"{type(error).__name__}: {error}" in failure.step_failure_data.error.message.splitlines()[0]


def test_an_error_that_does_not_pass_fails_with_itself_after_two_retries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise psycopg.OperationalError("the connection is lost")

    instance = dg.DagsterInstance.ephemeral()
    monkeypatch.setattr(common.schema, "require", fail)
    [failure] = world.materialize(["people_conversations"], instance=instance, expect=False).get_step_failure_events()
    assert "OperationalError: the connection is lost" in failure.step_failure_data.error.message.splitlines()[0]
    assert kinds_of(instance).count("STEP_UP_FOR_RETRY") == 2
