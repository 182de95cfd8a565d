"""A table of one's own in the UI: its asset page with columns, and the lineage of a column."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from convo_pipelines.sources import sample_data
from convo_pipelines_tests.browser.test_ui import choose_30_days, launch
from convo_pipelines_tests.conftest import ARTIFACTS, ROOT, Server
from convo_pipelines_tests.processes import DagsterDev
from convo_pipelines_tests.world import World

EXAMPLE = ROOT / "examples" / "tables" / "reply_sla"


@pytest.fixture
def dagster_ui(world: World, server: Server, tmp_path: Path) -> Iterator[str]:
    sizes = sample_data.Sizes(crews=2, sessions=60, conversations=30, people=20, projects=2, days=20)
    sample_data.load(world.warehouse, sizes, seed=1, end=datetime.now(UTC).date())
    world.execute("create table app.reply_targets (client_id uuid primary key, minutes int not null)")
    world.execute("insert into app.reply_targets select id, 60 from app.clients")
    folder = tmp_path / "tables"
    shutil.copytree(EXAMPLE, folder / "reply_sla", ignore=shutil.ignore_patterns("generated"))
    environment = os.environ | {"CONVO_DATABASE_URL": world.url, "CONVO_TABLES": str(folder)}
    program = Path(sys.executable).with_name("convo-pipelines")
    subprocess.run([program, "table", "apply", "--yes"], env=environment, check=True, capture_output=True)
    options = {"ENABLE_BACKGROUND_JOBS": "false", "CONVO_TABLES": str(folder)}
    with DagsterDev(tmp_path, world.url, server.create(), **options) as dev:
        yield dev.url


@pytest.mark.long(60)
@pytest.mark.wide
def test_a_table_of_ones_own_has_a_page_with_columns_and_their_lineage(
    page: Page, dagster_ui: str, world: World
) -> None:
    choose_30_days(page, dagster_ui, ["reply_sla"])
    assert launch(page, dagster_ui) == [{"reply_sla"}]
    assert world.execute("select from analytics.reply_sla")
    page.goto(f"{dagster_ui}/assets/reply_sla")
    expect(page.get_by_text("is_in_time").first).to_be_visible()
    expect(page.get_by_text("boolean").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "own-table.png")
    page.goto(f"{dagster_ui}/assets/reply_sla?view=lineage&column=is_in_time")
    for column in ("minutes", "sent_at"):
        expect(page.get_by_text(column, exact=True).first).to_be_visible(timeout=30_000)
    page.screenshot(path=ARTIFACTS / "own-table-lineage.png")
