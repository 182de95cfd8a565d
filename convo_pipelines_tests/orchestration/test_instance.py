"""Dagster's own storage, as dagster.yaml names it: what runs of many partitions leave there."""

from collections import Counter

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from dagster_postgres import PostgresEventLogStorage

from convo_pipelines.definitions import defs
from convo_pipelines.orchestration.partitions import days, range_tags
from convo_pipelines_tests.orchestration.test_retention import storage
from convo_pipelines_tests.world import World, at

ASSET = dg.AssetKey("project_conversations")
KEYS = [f"{at(day):%Y-%m-%d}" for day in range(30)]


def backfill(world: World, instance: dg.DagsterInstance) -> bool:
    """Thirty days of an asset, with its checks."""
    return dg.materialize(
        [*(defs.assets or ()), *(defs.asset_checks or ())],
        selection=dg.AssetSelection.assets(ASSET),
        resources={"warehouse": world.warehouse},
        instance=instance,
        tags=range_tags(KEYS[0], KEYS[-1]),
        raise_on_error=False,
    ).success


def statuses(instance: dg.DagsterInstance) -> Counter[AssetPartitionStatus | None]:
    return Counter((instance.get_status_by_partition(ASSET, KEYS, days) or {}).values())


def test_days_are_shown_as_failed_and_a_check_is_planned_once(
    world: World, stored_instance: dg.DagsterInstance
) -> None:
    world.crew()
    world.conversation()
    assert backfill(world, stored_instance)
    assert statuses(stored_instance) == {AssetPartitionStatus.MATERIALIZED: 30}
    world.execute("alter table analytics.project_conversations rename to elsewhere")
    assert not backfill(world, stored_instance)
    assert statuses(stored_instance) == {AssetPartitionStatus.FAILED: 30}
    world.execute("alter table analytics.elsewhere rename to project_conversations")
    assert backfill(world, stored_instance)
    assert statuses(stored_instance) == {AssetPartitionStatus.MATERIALIZED: 30}
    checks = storage("select check_name, run_id, count(*) from asset_check_executions group by 1, 2")
    assert len({name for name, _, _ in checks}) > 3
    assert {executions for _, _, executions in checks} == {1}


@pytest.mark.parametrize("stored_instance", ["untested"], indirect=True)
def test_ours_stands_aside_with_a_warning_on_a_version_of_dagster_that_it_was_not_tested_with(
    world: World, stored_instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    assert type(stored_instance.event_log_storage) is PostgresEventLogStorage
    assert type(stored_instance.run_launcher) is dg.DefaultRunLauncher
    assert backfill(world, stored_instance)
    assert statuses(stored_instance) == {AssetPartitionStatus.MATERIALIZED: 30}
    [warning] = [record.getMessage() for record in caplog.get_records("setup") if record.name.endswith("storage")]
    assert "Dagster's own storage and launcher are used" in warning
