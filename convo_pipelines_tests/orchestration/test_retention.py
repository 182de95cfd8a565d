"""Dagster's own database stays small, and what is materialized stays so."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster_postgres import PostgresEventLogStorage

from convo_pipelines.database.addresses import dagster_url
from convo_pipelines.definitions import defs
from convo_pipelines_tests.world import PIPELINE, World, at

LATEST_CHECKS = """
select distinct on (asset_key, check_name) asset_key, check_name, evaluation_event
from asset_check_executions
where execution_status in ('SUCCEEDED', 'FAILED')
order by asset_key, check_name, id desc
"""
KEYS = [dg.AssetKey(name) for name in PIPELINE]


def storage(query: str) -> list[tuple]:
    with psycopg.connect(dagster_url(), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def age(days: int) -> None:
    """What Dagster has stored is so many days older."""
    storage(f"update runs set create_timestamp = create_timestamp - interval '{days} days'")


def materialized(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    return {key.to_user_string(): instance.get_materialized_partitions(key) for key in KEYS}


def latest_checks() -> set[tuple]:
    return set(storage(LATEST_CHECKS))


def retain(instance: dg.DagsterInstance) -> int:
    result = defs.resolve_job_def("event_retention").execute_in_process(instance=instance)
    [output] = [event for event in result.all_events if event.is_successful_output]
    return output.step_output_data.metadata["runs_deleted"].value


def test_old_runs_go_and_every_partition_stays_materialized(
    unbuilt: World, stored_instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    world = unbuilt
    world.crew()
    world.say("s1", "human", at(0))
    world.materialize(days=(at(-1).date(), at(1).date()), instance=stored_instance)
    for hour in range(4):
        world.say("s1", "human", at(0, hour))
        world.materialize(instance=stored_instance)
    world.evaluations(stored_instance)
    world.evaluations(stored_instance)
    before, checked = materialized(stored_instance), latest_checks()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert before["histories_sessions"] == {*(f"{at(day):%Y-%m-%d}" for day in (-1, 0, 1)), today}
    assert checked

    assert retain(stored_instance) == 0
    age(31)
    stored_instance.create_run_for_job(defs.resolve_job_def("all_checks"), status=dg.DagsterRunStatus.STARTED)
    running = stored_instance.create_run_for_job(defs.resolve_job_def("health"), status=dg.DagsterRunStatus.STARTED)
    age(31)
    folders = {path.parent.name for path in tmp_path.rglob("compute_logs")}
    three_ticks, checks, retention = 3, 1, 1
    assert retain(stored_instance) == three_ticks + checks + retention

    assert materialized(stored_instance) == before
    assert latest_checks() == checked
    kept = {row[0] for row in storage("select run_id from runs")}
    assert running.run_id in kept
    for table in ("event_logs", "asset_check_executions", "run_tags"):
        assert {row[0] for row in storage(f"select run_id from {table}")} <= kept
    assert storage("select from asset_event_tags where event_id not in (select id from event_logs)") == []
    assert folders - {path.parent.name for path in tmp_path.rglob("compute_logs")} == folders - kept != set()


@pytest.mark.parametrize("stored_instance", ["stock"], indirect=True)
def test_backfills_ticks_and_retention_run_on_dagsters_own_storage(
    world: World, stored_instance: dg.DagsterInstance
) -> None:
    assert type(stored_instance.event_log_storage) is PostgresEventLogStorage
    world.crew()
    world.say("s1", "human", at(0))
    assets = ["histories_sessions", "crew_conversations"]
    world.materialize(assets, days=(at(0).date(), at(1).date()), instance=stored_instance)
    for hour in range(2):
        world.say("s1", "human", at(0, hour))
        world.materialize(assets, instance=stored_instance)
    assert world.execute("select message_count from analytics.histories_sessions") == [{"message_count": 3}]
    before = materialized(stored_instance)
    age(31)
    assert retain(stored_instance) == 1
    assert materialized(stored_instance) == before


def test_old_materializations_without_a_run_go_but_for_the_newest(stored_instance: dg.DagsterInstance) -> None:
    for sessions in range(3):
        for day in ("2026-03-10", "2026-03-11"):
            stored_instance.report_runless_asset_event(
                dg.AssetMaterialization(KEYS[0], partition=day, metadata={"webhook_sessions": sessions})
            )
    retain(stored_instance)
    assert storage("select count(*) from event_logs where run_id = ''") == [(6,)]
    storage("update event_logs set timestamp = timestamp - interval '31 days' where run_id = ''")
    retain(stored_instance)
    assert storage("select count(*) from event_logs where run_id = ''") == [(2,)]
    assert materialized(stored_instance)["histories_sessions"] == {"2026-03-10", "2026-03-11"}
