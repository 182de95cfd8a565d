"""Three cells in one UI: each is a location of its own, and the lake's tables have what each of them writes."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from convo_pipelines_tests.cells import Dagster, running
from convo_pipelines_tests.conftest import ARTIFACTS, Server
from convo_pipelines_tests.world import World

CELLS = ("eu1", "eu2", "us1")


def test_the_ui_has_three_cells_and_the_lineage_of_the_lake(
    new_world: Callable[..., World], server: Server, tmp_path: Path, page: Page
) -> None:
    world = new_world()
    lake = {"LAKE_URI": f"file://{tmp_path}/lake", "ENABLE_BACKGROUND_JOBS": "false"}
    dagster = Dagster(tmp_path, server.create(), dict.fromkeys(CELLS, world.url), lake)
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
