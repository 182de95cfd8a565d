"""In a real browser: the graph with its groups and descriptions, and a backfill of 30 days launched by clicks."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from convo_pipelines.sources import sample_data
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ARTIFACTS, Server
from convo_pipelines_tests.world import LINKS, PIPELINE, World

ROOT = Path(__file__).parent.parent


@pytest.fixture
def company(world: World) -> World:
    sizes = sample_data.Sizes(crews=2, sessions=60, conversations=30, people=20, projects=2, days=20)
    sample_data.load(world.warehouse, sizes, seed=1, end=datetime.now(UTC).date())
    return world


@pytest.fixture
def dagster_ui(company: World, server: Server, tmp_path: Path) -> Iterator[str]:
    """`dagster dev` as `make ui` runs it: webserver and daemon, storage in PostgreSQL by the real dagster.yaml."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {
        "CONVO_DATABASE_URL": company.url,
        "DAGSTER_PG_URL": server.create(),
        "DAGSTER_HOME": str(tmp_path),
        "ENABLE_BACKGROUND_JOBS": "false",
    }
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
    command += ["-w", str(ROOT / "workspace.yaml")]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, tmp_path / "log")
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/server_info", timeout=5)
        except OSError:
            time.sleep(1)
        else:
            return
    pytest.fail(f"Dagster did not start:\n{log.read_text()}")


def test_a_backfill_of_30_days_launched_by_clicks_turns_green(page: Page, dagster_ui: str, company: World) -> None:
    groups = ("sessions", "conversations", "participants", "links")
    expanded = "%2C".join(f"global%40global%3A{group}" for group in groups)
    page.goto(f"{dagster_ui}/asset-groups?expanded={expanded}")
    page.wait_for_timeout(2_000)
    page.screenshot(path=ARTIFACTS / "1-asset-graph.png")
    for text in ("app", *groups, "histories_sessions"):
        expect(page.get_by_text(text, exact=True).first).to_be_attached()

    page.goto(f"{dagster_ui}/assets")
    expect(page.get_by_text("One row per crew, session and UTC day", exact=False).first).to_be_visible()
    for asset in PIPELINE + LINKS:
        page.locator(f"label:has([data-testid='checkbox-{asset}'])").click()
    page.get_by_role("button", name="Materialize selected").click()
    last = datetime.now(UTC).date()
    keys = page.get_by_role("dialog").get_by_role("textbox").first
    keys.fill(f"[{last - timedelta(days=29)}...{last}]")
    keys.press("Tab")
    expect(page.get_by_role("dialog").get_by_text("30 partitions")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "2-backfill-dialog.png")
    page.get_by_role("button", name="Launch backfill").click()
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.goto(f"{dagster_ui}/runs")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=240_000)
    page.screenshot(path=ARTIFACTS / "3-backfill-green.png")
    page.goto(f"{dagster_ui}/assets/conversation_summaries")
    expect(page.get_by_text("rows_inserted").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "4-materialization.png")
    oracle.assert_right(company)
    page.goto(f"{dagster_ui}/assets/people_conversations")
    expect(page.get_by_text("rows_inserted").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "5-people-conversations.png")
    assert company.execute("select from analytics.people_conversations")

    page.goto(f"{dagster_ui}/assets/activity_report")
    page.get_by_role("button", name="Materialize", exact=False).first.click()
    expect(page.get_by_text("seconds ago").first).to_be_visible(timeout=120_000)
    page.reload()
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("dialog").locator("img").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "7-report-previews.png")
