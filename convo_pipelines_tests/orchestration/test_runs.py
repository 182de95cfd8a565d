"""Runs of the assets: what they report, and when they fail."""

import json
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace

import dagster as dg
import pytest

from convo_pipelines.definitions import defs
from convo_pipelines.engine import chunk_size, chunks, work
from convo_pipelines.model import histories
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.automation import schedules
from convo_pipelines.orchestration.partitions import days
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.database.test_refresh import MARCH, chat
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at, metadata, sample


def narrow(world: World, **config: object) -> dg.ExecuteInProcessResult:
    """A run of the job for some crews or clients."""
    return defs.resolve_job_def("refresh_narrowed").execute_in_process(
        {"ops": {"refresh_some": {"config": config}}},
        resources={"warehouse": world.warehouse},
        raise_on_error=False,
    )


@both_servers
def test_a_backfill_of_a_day_makes_its_sessions_conversations_and_summaries(world: World) -> None:
    world.crew()
    chat(world)
    chat(world, "s2")
    result = world.materialize(days=(MARCH, MARCH))
    oracle.assert_right(world)
    [summary, _] = sorted(
        world.execute("select * from analytics.conversation_summaries"), key=lambda row: row["session_id"]
    )
    assert (summary["message_count"], summary["inbound_count"], summary["outbound_count"]) == (3, 1, 1)
    assert summary["first_response_seconds"] == 1800
    facts = metadata(result, "histories_sessions")
    assert (facts["rows_inserted"], facts["rows_updated"], facts["rows_deleted"]) == (2, 0, 0)
    assert (facts["crews_done"], facts["crews_failed"]) == (1, 0)
    assert str(MARCH) in str(facts["preview"])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("drop table app.histories_b", "table app.histories_b does not exist"),
        ("alter table app.histories_b drop column created_at", "no column created_at"),
        (
            "alter table app.histories_b alter created_at type timestamp",
            "column app.histories_b.created_at is timestamp without time zone",
        ),
        ("update app.crews set histories_table_name = 'x\"; drop' where crew_code = 'B'", "is not allowed"),
    ],
)
def test_one_broken_crew_is_reported_and_the_others_go_on(world: World, damage: str, complaint: str) -> None:
    world.crew("A")
    world.crew("B")
    chat(world, crew="A")
    world.execute(damage)
    result = world.materialize()
    assert metadata(result, "histories_sessions")["crews_failed"] == 1
    assert complaint in world.state("B")["last_error"]
    assert world.state("B")["consecutive_failures"] == 1
    assert world.state("A")["last_error"] is None
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    check = world.checks("every_crew_succeeded")["every_crew_succeeded"]
    assert not check.passed
    assert complaint in str(sample(check))
    world.materialize(days=(MARCH, MARCH))
    assert world.state("B")["consecutive_failures"] == 2
    assert world.has_news()


def test_if_every_crew_fails_the_run_fails(world: World) -> None:
    world.crew(create=False)
    world.materialize(expect=False)
    assert "does not exist" in world.state()["last_error"]


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"crews": ["X"]}, "no active crew has the code X; there are: A, B"),
        ({"clients": ["C9"]}, "no client has the code C9; there are: C1"),
        ({}, "no crew and no client is named"),
        ({"crews": ["A"], "tables": ["sessions"]}, "no derived table is called sessions"),
        ({"crews": ["A"], "first_day": "10.3.2026"}, "days are written as 2026-03-31"),
    ],
)
def test_a_run_narrowed_to_what_there_is_not_fails_and_says_what_there_is(
    world: World, config: dict[str, object], complaint: str
) -> None:
    world.crew("A")
    world.crew("B")
    failed = narrow(world, **config)
    [failure, *_] = failed.get_step_failure_events()
    assert complaint in failure.step_failure_data.error.message.splitlines()[0]
    assert not failed.filter_events(lambda event: event.event_type_value == "STEP_UP_FOR_RETRY")


def test_a_run_narrowed_to_a_crew_leaves_the_others_and_turns_no_day_green(world: World) -> None:
    for crew in ("A", "B"):
        world.crew(crew)
        chat(world, crew=crew)
        chat(world, "s2", crew=crew, day=1)
    day = MARCH.isoformat()
    result = narrow(world, crews=["B"], first_day=day, last_day=day)
    assert result.success
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    assert not result.get_asset_materialization_events()
    seen = {event.asset_key.path[-1]: event for event in result.get_asset_observation_events()}
    assert list(seen) == [table.name for table in DERIVED_TABLES]
    facts = seen["histories_sessions"].asset_observation_data.asset_observation.metadata
    assert (facts["narrowed_to"].value, facts["rows_inserted"].value, facts["dagster/row_count"].value) == ("B", 1, 1)
    chosen = narrow(world, clients=["C1"], tables=["histories_sessions"])
    assert [event.asset_key.path[-1] for event in chosen.get_asset_observation_events()] == ["histories_sessions"]
    assert len(world.execute("select from analytics.histories_sessions")) == 4


def test_after_the_first_build_no_day_is_missing(
    world: World, stored_instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    world.crew()
    for day in (-9000, 0, 9000):  # before the first partition, a day of one, after the last
        chat(world, f"s{day}", day=day)
    talk = world.conversation(started_at=at(0), project_id=world.project())
    world.message(talk, when=at(0))
    world.address(talk, world.contact("ana@example.com", world.person()))
    today = days.get_last_partition_key()
    result = world.materialize([*PIPELINE, *LINKS], instance=stored_instance)
    for table in DERIVED_TABLES:
        done = set(stored_instance.get_materialized_partitions(dg.AssetKey(table.name)))
        assert done == ({MARCH.isoformat(), today} if table.grain.has_days else set()), table.name
        newest = stored_instance.get_latest_materialization_event(dg.AssetKey(table.name))
        assert newest.asset_materialization.partition == (today if done else None)
        assert "rows_inserted" in newest.asset_materialization.metadata
    assert metadata(result, "histories_sessions")["days_without_partition"] == 2
    assert (
        "2 days that changed have no partition: 2001-07-19 and 2050-10-30 are the first and last"
        in capfd.readouterr().err
    )


def test_what_was_built_without_dagster_is_shown_by_its_first_tick(world: World) -> None:
    instance = dg.DagsterInstance.ephemeral()
    world.crew()
    chat(world)
    world.tick()
    world.materialize(["histories_sessions"], instance=instance)
    done = instance.get_materialized_partitions(dg.AssetKey("histories_sessions"))
    assert done == {MARCH.isoformat(), days.get_last_partition_key()}


@pytest.mark.parametrize("stored_instance", ["ours", "untested"], indirect=True)
def test_a_tick_of_more_than_300_days_names_them_all(world: World, stored_instance: dg.DagsterInstance) -> None:
    world.crew()
    world.tick()
    world.materialize(["histories_sessions"], (MARCH, MARCH), stored_instance)
    world.execute(
        "insert into app.histories_a (session_id, message, created_at) "
        "select 's1', '{\"type\": \"human\"}', day from generate_series(%s::timestamptz, %s, '1 day') as day",
        at(-399),
        at(-90),
    )
    world.materialize(["histories_sessions"], instance=stored_instance)
    done = stored_instance.get_materialized_partitions(dg.AssetKey("histories_sessions"))
    assert len(done) == 312  # and 10 March, and today


def test_a_run_that_is_told_to_forgets_pruned_days_and_else_says_that_it_keeps_them(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    world.crew()
    chat(world, "s1")
    chat(world, "s2", day=2)
    world.tick()
    world.execute("delete from app.histories_a where session_id = 's1'")
    kept = world.materialize(["histories_sessions"], (MARCH, MARCH))
    assert "1 session-days are archive and were kept" in str(metadata(kept, "histories_sessions")["crews"])
    world.materialize(["histories_sessions"], (MARCH, MARCH), config={"forget_pruned_days": True})
    world.tick()
    oracle.assert_right(world)


def test_a_crew_whose_time_is_up_is_said_to_be_continued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    for name, size in {"CHUNK_KEYS": 2, "CHUNK_ROWS": 2}.items():
        monkeypatch.setattr(histories, name, size)
    for name in ("SMALLEST_CHUNK", "LARGEST_CHUNK"):
        monkeypatch.setattr(chunk_size, name, 2)
    world.crew()
    for number in range(10):
        chat(world, f"s{number}", day=number)
    clock = count(0.0, 8.0)
    for module in (histories, chunks, work):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert "to be continued" in str(metadata(world.materialize(), "histories_sessions")["crews"])


def test_a_run_writes_one_line_an_event(
    quiet: World, environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    environment(LOG_FORMAT="json")
    request = schedules.reconcile_schedule()
    assert isinstance(request, dg.RunRequest)
    job = defs.resolve_job_def("reconcile")
    result = job.execute_in_process(resources={"warehouse": quiet.warehouse}, run_config=request.run_config)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [of_crew] = [line for line in lines if line.get("crew")]
    assert (of_crew["crew"], of_crew["table"], of_crew["job"]) == ("A", "histories_sessions", "reconcile")
    assert {line["run"] for line in lines} == {result.run_id}
