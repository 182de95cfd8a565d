"""Three cells under one Dagster, whose webserver and daemon have no convo_pipelines: none disturbs another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from convo_pipelines.model.tables import TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.cells import Dagster, kill, running
from convo_pipelines_tests.conftest import Server, company
from convo_pipelines_tests.processes import LAUNCH, STATUS, ask, wait_until
from convo_pipelines_tests.world import World, at

CELLS = ("eu1", "eu2", "us1")
NEVER, EVERY_MINUTE = "0 0 1 1 *", "* * * * *"
CRONS = {"CONVERSATION_DISCOVERY_CRON": EVERY_MINUTE, "LINK_SYNC_CRON": EVERY_MINUTE} | {
    f"{job}_CRON": NEVER for job in ("HEALTH", "RECONCILE", "REPORT")
}


@pytest.mark.long(120)
@pytest.mark.wide
def test_three_cells_tick_are_backfilled_and_come_back_on_their_own(
    new_world: Callable[..., World], server: Server, tmp_path: Path
) -> None:
    worlds = {cell: new_world(company) for cell in CELLS}
    dagster = Dagster(tmp_path, server.create(), {cell: world.url for cell, world in worlds.items()}, CRONS)

    def write(*cells: str) -> None:
        for cell in cells:
            worlds[cell].say("4915112345678", "ai", at(1))
            worlds[cell].message(worlds[cell].conversation())

    def have_seen(*cells: str) -> bool:
        return not any(worlds[cell].has_news([*TABLES]) for cell in cells)

    with running(dagster):
        write(*CELLS)
        wait_until(lambda: have_seen(*CELLS), 240, dagster)

        worlds["eu1"].execute("delete from analytics.conversation_days; delete from analytics.histories_sessions")
        days = {"assetSelection": [{"path": ["eu1", "histories_sessions"]}, {"path": ["eu1", "conversation_days"]}]}
        backfill = ask(dagster.url, LAUNCH, params=days | {"allPartitions": True, "fromFailure": False})
        backfill_id = backfill["launchPartitionBackfill"]["backfillId"]
        state = lambda: ask(dagster.url, STATUS, id=backfill_id)["partitionBackfillOrError"]["status"]  # noqa: E731
        wait_until(lambda: state() == "COMPLETED_SUCCESS" and have_seen("eu1"), 240, dagster)
        oracle.assert_right(worlds["eu1"])

        kill(dagster.processes["eu2"])
        write(*CELLS)
        wait_until(lambda: have_seen("eu1", "us1"), 240, dagster)
        assert not have_seen("eu2")
        assert "FAILURE" not in [*dagster.ticks("eu1"), *dagster.ticks("us1")]

        dagster.start_cell("eu2")
        wait_until(lambda: have_seen("eu2"), 240, dagster)
    for world in worlds.values():
        oracle.assert_right(world)
        oracle.assert_links_right(world)
