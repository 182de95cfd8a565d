"""Three cells in one UI: a backfill of one by clicks, and the lineage of the lake."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from convo_pipelines.sources import sample_data
from convo_pipelines_tests.browser.test_ui import choose_30_days, launch
from convo_pipelines_tests.cells import Dagster, running
from convo_pipelines_tests.conftest import ARTIFACTS, Server
from convo_pipelines_tests.world import World

CELLS = ("eu1", "eu2", "us1")


def test_one_of_three_cells_is_backfilled_by_clicks_and_the_lake_has_what_each_writes(
    new_world: Callable[..., World], server: Server, tmp_path: Path, page: Page
) -> None:
    worlds = {cell: new_world() for cell in CELLS}
    sizes = sample_data.Sizes(crews=2, sessions=60, conversations=30, people=20, projects=2, days=20)
    sample_data.load(worlds["eu1"].warehouse, sizes, seed=1, end=datetime.now(UTC).date())
    lake = {"LAKE_URI": f"file://{tmp_path}/lake", "ENABLE_BACKGROUND_JOBS": "false"}
    dagster = Dagster(tmp_path, server.create(), {cell: world.url for cell, world in worlds.items()}, lake)
    with running(dagster):
        page.goto(f"{dagster.url}/locations")
        for cell in CELLS:
            expect(page.locator(f"a[href='/locations/{cell}/jobs']")).to_be_visible()
        page.screenshot(path=ARTIFACTS / "cells.png")

        page.goto(f"{dagster.url}/assets/lake/conversation_summaries?view=lineage")
        for cell in CELLS:
            expect(
                page.locator(f"a[href='/assets/{cell}/lake/conversation_summaries?view=partitions']").first
            ).to_be_visible()
        page.screenshot(path=ARTIFACTS / "lake.png")

        choose_30_days(page, dagster.url, ["eu1/histories_sessions"])
        assert launch(page, dagster.url) == [{"eu1"}]
    days = {cell: world.execute("select from analytics.histories_sessions") for cell, world in worlds.items()}
    assert [cell for cell, found in days.items() if found] == ["eu1"]
