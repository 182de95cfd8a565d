"""The activity report: whole, offline, the same bytes for the same rows."""

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from convo_pipelines import report
from convo_pipelines.assets import activity_report as asset
from convo_pipelines_tests.conftest import ARTIFACTS
from convo_pipelines_tests.world import World, at, metadata


@pytest.fixture
def busy(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(asset, "LOCAL", tmp_path)
    world.crew()
    for day in range(3):
        world.say(f"s{day}", "human", at(day, 9))
        world.say(f"s{day}", "ai", at(day, 9.1))
    talk = world.conversation(started_at=at(1))
    world.message(talk, when=at(1))
    world.address(talk, world.contact("ana@example.com", world.person()))
    world.tick()
    world.sync()
    return world


def render(world: World) -> tuple[str, dict[str, object]]:
    result = dg.materialize(
        [asset.activity_report], resources={"warehouse": world.warehouse}, selection=[asset.activity_report]
    )
    facts = metadata(result, "activity_report")
    return Path(str(facts["page"])).read_text(), facts


def test_the_page_is_whole_and_the_same_for_the_same_rows(busy: World) -> None:
    page_, facts = render(busy)
    assert render(busy)[0] == page_
    assert not re.search(r"""(src|href)=["'](?!#)""", page_)
    assert "12 March 2026, UTC" in page_
    assert page_.count("<svg") == str(facts["preview"]).count("data:image/png;base64,") == 6
    busy.say("s9", "human", at(2))
    busy.tick()
    assert render(busy)[0] != page_


def test_without_conversations_it_says_so(world: World) -> None:
    with world.warehouse.connection() as connection:
        activity = report.load(connection)
    assert "no messages yet" in report.render(activity, report.draw(activity))


def test_it_opens_offline(busy: World, page: Page) -> None:
    render(busy)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"file://{asset.LOCAL}/reports/activity.html")
    expect(page.get_by_role("heading", name="Busiest crews, messages")).to_be_visible()
    expect(page.locator("svg")).to_have_count(6)
    page.screenshot(path=ARTIFACTS / "6-activity-report.png", full_page=True)
    assert len(requests) == 1
