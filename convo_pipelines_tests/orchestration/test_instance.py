"""Dagster's own storage, as dagster.yaml names it: what runs of many partitions leave there."""

from collections import Counter

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

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
