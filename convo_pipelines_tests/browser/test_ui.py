"""In a real browser: the graph with its groups and descriptions, and a backfill of 30 days launched by clicks."""

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from dagster_graphql import DagsterGraphQLClient
from playwright.sync_api import Page, expect

from convo_pipelines.orchestration.partitions import tick_tags
from convo_pipelines.sources import sample_data
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ARTIFACTS, ROOT, Server
from convo_pipelines_tests.interrupts import AT_WORK, assert_nothing_goes_on, refreshes_wait
from convo_pipelines_tests.processes import DagsterDev, ask, wait_until
from convo_pipelines_tests.receivers import Receiver
from convo_pipelines_tests.world import LINKS, PIPELINE, World, asset_graph

NEWEST_RUN = "{ runsOrError(limit: 1) { ... on Runs { results { runId } } } }"
GUIDE = (ROOT / "docs" / "how-to" / "running.md").read_text()
TOLD = r"(a run failed|a check fails): .*\n.*\n.*\n  (http\S+)"
[NARROWED] = re.findall(r"```yaml\n( *ops:\n *refresh_some:.*?) *first_day:.*?```", GUIDE, re.DOTALL)
BACKFILLS = "{ partitionBackfillsOrError(limit: 1) { ... on PartitionBackfills { results { id status } } } }"
RUNS = """
query Runs($tags: [ExecutionTag!]) {
  runsOrError(filter: {tags: $tags}) { ... on Runs { results { status assetSelection { path } } } }
}
"""


@pytest.fixture
def company(world: World) -> World:
    sizes = sample_data.Sizes(crews=2, sessions=60, conversations=30, people=20, projects=2, days=20)
    sample_data.load(world.warehouse, sizes, seed=1, end=datetime.now(UTC).date())
    return world


@pytest.fixture
def dagster_ui(company: World, server: Server, tmp_path: Path) -> Iterator[str]:
    """`dagster dev` as `make ui` runs it: webserver and daemon, storage in PostgreSQL by the real dagster.yaml."""
    with DagsterDev(tmp_path, company.url, server.create(), ENABLE_BACKGROUND_JOBS="false") as dev:
        yield dev.url


def choose_30_days(page: Page, url: str, assets: Sequence[str] = (*PIPELINE, *LINKS)) -> None:
    """Open the dialog that launches a backfill."""
    page.goto(f"{url}/assets")
    expect(page.get_by_text("One row per crew, session and UTC day", exact=False).first).to_be_visible()
    for asset in assets:
        page.locator(f"label:has([data-testid='checkbox-{asset}'])").click()
    page.get_by_role("button", name="Materialize selected").click()
    name_30_days(page)


def name_30_days(page: Page) -> None:
    """Name the days in the dialog."""
    last = datetime.now(UTC).date()
    keys = page.get_by_role("dialog").get_by_role("textbox").first
    keys.fill(f"[{last - timedelta(days=29)}...{last}]")
    keys.press("Tab")
    expect(page.get_by_role("dialog").get_by_text("30 partitions")).to_be_visible()


def launch(page: Page, url: str) -> list[set[str]]:
    """Launch it, and wait until its runs have succeeded; return the assets of each."""
    page.get_by_role("button", name="Launch backfill").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    deadline = time.monotonic() + 480
    while not (found := ask(url, BACKFILLS)["partitionBackfillsOrError"]["results"]) or "REQ" in found[0]["status"]:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert found[0]["status"] == "COMPLETED_SUCCESS"
    runs = ask(url, RUNS, tags=[{"key": "dagster/backfill", "value": found[0]["id"]}])["runsOrError"]["results"]
    return [{asset["path"][0] for asset in run["assetSelection"]} for run in runs]


def cancel_in_mid_step(page: Page, url: str, company: World) -> None:
    """Launch a backfill, and terminate its run by clicks while the server works on a statement of it."""
    crews = company.execute("select id from app.crews")
    with refreshes_wait(company, *(f"histories_sessions:{crew['id']}" for crew in crews)):
        choose_30_days(page, url, ["histories_sessions"])
        page.get_by_role("button", name="Launch backfill").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        wait_until(lambda: company.execute(AT_WORK), 240)  # small crews are read together
        [run] = ask(url, NEWEST_RUN)["runsOrError"]["results"]
        page.goto(f"{url}/runs/{run['runId']}")
        page.get_by_role("button", name="Terminate").click()
        page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
        expect(page.get_by_text("Canceled", exact=True).first).to_be_visible()
        assert_nothing_goes_on(company)
    page.screenshot(path=ARTIFACTS / "11-cancelled-run.png")
    assert not company.execute("select from analytics.histories_sessions")
    page.goto(f"{url}/assets/histories_sessions?view=partitions")
    expect(page.get_by_text("Materialized (0)")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "12-cancelled-days.png")


def refresh_one_crew(page: Page, url: str, company: World) -> None:
    """Refresh one crew by the job and the run config that the guide shows; no day turns green."""
    page.goto(f"{url}/jobs")
    page.get_by_role("link", name="refresh_narrowed").first.click()
    page.get_by_text("Launchpad", exact=True).first.click()
    page.locator(".CodeMirror-scroll").first.click(position={"x": 300, "y": 100}, force=True)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(dedent(NARROWED))
    expect(page.get_by_text("No errors")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "8-narrowed-refresh.png")
    page.get_by_role("button", name="Launch run").click()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=240_000)
    codes = company.execute(
        "select distinct crew_code from analytics.histories_sessions join app.crews on crews.id = crew_id"
    )
    assert codes == [{"crew_code": "CREW-01"}]
    page.goto(f"{url}/assets/histories_sessions?view=events")
    expect(page.get_by_text("narrowed_to").first).to_be_visible()
    page.goto(f"{url}/assets/histories_sessions")
    expect(page.get_by_text("Never materialized").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "11-narrowed-asset.png")


def picture_of_the_graph(page: Page, url: str) -> None:
    """The first steps' picture: the groups of assets after the backfill, legible at the width of a page."""
    usual = page.viewport_size
    page.set_viewport_size({"width": 1280, "height": 620})
    page.goto(f"{url}/asset-groups")
    page.evaluate("window.localStorage.clear()")
    page.goto(f"{url}/asset-groups?expanded=")
    expect(page.get_by_text("conversations", exact=True).first).to_be_attached(timeout=30_000)
    expect(page.get_by_text("Loading")).to_have_count(0, timeout=30_000)
    page.wait_for_timeout(4_000)
    page.screenshot(path=ARTIFACTS / "1-asset-graph.png")
    (ARTIFACTS / "1-asset-graph.txt").write_text(asset_graph())
    page.set_viewport_size(usual or {"width": 1600, "height": 1000})


@pytest.mark.long(150)
@pytest.mark.wide
def test_backfills_of_30_days_launched_by_clicks_turn_green_but_not_by_a_refresh_of_one_crew(
    page: Page, dagster_ui: str, company: World
) -> None:
    groups = ("sessions", "conversations", "activity", "participants", "links")
    expanded = "%2C".join(f"global%40global%3A{group}" for group in groups)
    usual = page.viewport_size
    page.set_viewport_size({"width": 2600, "height": 3400})
    page.goto(f"{dagster_ui}/asset-groups?expanded={expanded}")
    expect(page.get_by_text("histories_sessions", exact=True).first).to_be_attached(timeout=30_000)
    expect(page.get_by_text("Loading")).to_have_count(0, timeout=30_000)
    for text in ("app", *groups, "histories_sessions"):
        expect(page.get_by_text(text, exact=True).first).to_be_attached()
    page.set_viewport_size(usual or {"width": 1600, "height": 1000})

    cancel_in_mid_step(page, dagster_ui, company)
    refresh_one_crew(page, dagster_ui, company)
    choose_30_days(page, dagster_ui)
    page.screenshot(path=ARTIFACTS / "2-backfill-dialog.png")
    runs = launch(page, dagster_ui)
    assert set.union(*runs) == {*PIPELINE, *LINKS}
    assert len(runs) <= 4  # 3, unless the daemon looks between two materializations of the first
    page.goto(f"{dagster_ui}/runs")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "3-backfill-green.png")
    page.goto(f"{dagster_ui}/assets/conversation_summaries")
    expect(page.get_by_text("rows_inserted").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "4-materialization.png")
    oracle.assert_right(company)
    page.goto(f"{dagster_ui}/assets/people_conversations")
    expect(page.get_by_text("rows_inserted").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "5-people-conversations.png")
    assert company.execute("select from analytics.people_conversations")
    picture_of_the_graph(page, dagster_ui)

    page.goto(f"{dagster_ui}/assets/activity_report")
    page.get_by_role("button", name="Materialize", exact=False).first.click()
    expect(page.get_by_text("seconds ago").first).to_be_visible(timeout=120_000)
    page.reload()
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("dialog").locator("img").first).to_be_visible()
    page.screenshot(path=ARTIFACTS / "7-report-previews.png")


@pytest.mark.long(75)
@pytest.mark.wide
def test_an_alerts_links_lead_to_the_failed_run_and_the_red_check(
    page: Page, world: World, server: Server, tmp_path: Path
) -> None:
    receiver = Receiver()
    never = "0 0 1 1 *"
    jobs = ("CONVERSATION_DISCOVERY", "LINK_SYNC", "HEALTH", "RECONCILE", "REPORT")
    crons = {f"{job}_CRON": never for job in jobs}
    dev = DagsterDev(tmp_path, world.url, server.create(), ALERT_URLS=f"json://{receiver.address}", **crons)
    dev.environment["DAGSTER_UI_URL"] = dev.url
    world.crew(create=False)
    with dev:
        client = DagsterGraphQLClient("127.0.0.1", port_number=int(dev.url.rpartition(":")[2]))
        for job in ("conversation_discovery", "all_checks"):
            run = client.submit_job_execution(job, tags=tick_tags(job) if job == "conversation_discovery" else {})
            wait_until(lambda run=run: client.get_run_status(run).value in ("SUCCESS", "FAILURE"), 90, dev)
        links: dict[str, str] = {}

        def are_told() -> bool:
            for message in receiver.messages:
                for what, link in re.findall(TOLD, message["message"]):
                    links.setdefault(what, link)
            return len(links) == 2

        wait_until(are_told, 120, dev)
        page.goto(links["a run failed"])
        expect(page.get_by_text("Failure", exact=True).first).to_be_visible()
        expect(page.get_by_text("conversation_discovery").first).to_be_visible()
        page.screenshot(path=ARTIFACTS / "9-failed-run.png")
        page.goto(links["a check fails"])
        expect(page.get_by_text("every_crew_succeeded").first).to_be_visible()
        expect(page.get_by_text("table app.histories_a does not exist").first).to_be_visible()
        page.screenshot(path=ARTIFACTS / "10-red-check.png")
