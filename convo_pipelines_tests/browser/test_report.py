"""The activity report on a phone, on a desk and on paper."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from convo_pipelines.orchestration.assets import activity_report as asset
from convo_pipelines.sources import sample_data
from convo_pipelines_tests.conftest import ARTIFACTS
from convo_pipelines_tests.orchestration.test_report import CHARTS, counts, refreshed, render
from convo_pipelines_tests.world import World, at

PAPER: ViewportSize = {"width": 688, "height": 1016}
"""What is left of A4, in pixels."""


OVERFLOW = """() => [document.documentElement, ...document.querySelectorAll('section, figure, .tiles div')]
    .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.innerText)"""


def test_it_opens_offline_on_a_phone_and_on_paper(
    world: World, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset, "LOCAL", tmp_path)
    sizes = sample_data.Sizes(clients=5, crews=6, sessions=300, conversations=200, people=60, projects=2, days=40)
    sample_data.load(world.warehouse, sizes, 1, at().date())
    page_, _ = render(refreshed(world))
    requests: list[str] = []
    page.goto("about:blank")  # ends what the page of another test still asks for
    page.on("request", lambda request: requests.append(request.url))
    usual = page.viewport_size
    for width in (360, 800, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"file://{tmp_path}/reports/activity.html")
        assert page.evaluate(OVERFLOW) == []
        assert page.locator("svg").evaluate_all("all => Math.min(...all.map((svg) => svg.clientWidth))") > 280
        page.screenshot(path=ARTIFACTS / f"6-activity-report-{width}.png", full_page=True)
    expect(page.get_by_role("heading", level=3, name="Busiest crews, messages")).to_be_visible()
    messages = f"{counts(world)['messages'][0]:,} messages, most on "
    expect(page.get_by_role("img", name=f"Messages per day: {messages}")).to_be_visible()
    expect(page.locator("figure:has([role=img] > svg):has(figcaption)")).to_have_count(CHARTS)
    expect(page.locator("table:has(tbody td):has(thead th)")).to_have_count(4)
    expect(page.locator("th:not([scope])")).to_have_count(0)
    page.pdf(path=ARTIFACTS / "6-activity-report.pdf", format="A4")
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    assert page.evaluate(OVERFLOW) == []
    boxes = page.locator("figure, section, tr")
    assert set(boxes.evaluate_all("all => all.map((box) => getComputedStyle(box).breakInside)")) == {"avoid"}
    assert boxes.evaluate_all("all => Math.max(...all.map((box) => box.offsetHeight))") < PAPER["height"]
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 360, "height": 900})
    page.set_content(page_.replace("C001", "<b>".replace("<", "&lt;") + "longer" * 20))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size(usual or {"width": 1600, "height": 1000})
    assert len(requests) == 3
