"""A table of one's own in the UI: its asset page with columns, and its lineage, which names the columns."""

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
from convo_pipelines_tests.browser.test_ui import launch, name_30_days
from convo_pipelines_tests.conftest import ARTIFACTS, ROOT, Server
from convo_pipelines_tests.processes import DagsterDev, ask
from convo_pipelines_tests.world import World

LINEAGE = """
{
  assetNodeOrError(assetKey: {path: ["reply_sla"]}) {
    ... on AssetNode {
      assetMaterializations(limit: 1) {
        metadataEntries {
          ... on TableColumnLineageMetadataEntry {
            lineage { columnName columnDeps { assetKey { path } columnName } }
          }
        }
      }
    }
  }
}
"""
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
    page.goto(f"{dagster_ui}/assets/reply_sla")
    page.get_by_role("button", name="Materialize", exact=False).first.click()
    page.get_by_role("button", name="Confirm").click()  # crew_conversations was never materialized
    name_30_days(page)
    assert launch(page, dagster_ui) == [{"reply_sla"}]
    assert world.execute("select from analytics.reply_sla")
    page.goto(f"{dagster_ui}/assets/reply_sla")
    expect(page.get_by_text("is_in_time").first).to_be_visible()
    expect(page.get_by_text("boolean").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "own-table.png")
    page.goto(f"{dagster_ui}/assets/reply_sla?view=lineage")
    for source in ("messages", "reply_targets"):
        expect(page.get_by_text(source, exact=True).first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "own-table-lineage.png")
    [found] = ask(dagster_ui, LINEAGE)["assetNodeOrError"]["assetMaterializations"]
    [columns] = [entry["lineage"] for entry in found["metadataEntries"] if entry]
    read = {
        column["columnName"]: {("/".join(of["assetKey"]["path"]), of["columnName"]) for of in column["columnDeps"]}
        for column in columns
    }
    assert {("app/reply_targets", "minutes"), ("app/messages", "sent_at")} <= read["is_in_time"]
