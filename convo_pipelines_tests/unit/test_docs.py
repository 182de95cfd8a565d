"""The pages: every link leads somewhere, every page is listed, and what is made of the code is up to date."""

import re
import runpy
import subprocess
from pathlib import Path

import pytest

from convo_pipelines.settings import Settings
from convo_pipelines_tests.conftest import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_a_page_leads_to_a_file_and_a_heading() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    pages = [ROOT / name for name in listed.stdout.split()]
    assert len(pages) > 20
    broken: list[str] = []
    for page in pages:
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            is_there = "://" in link or (
                target.exists() and (not anchor or target.suffix != ".md" or anchor in anchors(target))
            )
            if not is_there:
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_every_page_is_listed() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    kinds = ("start", "how-to", "explanation", "reference")
    assert {page for kind in kinds for page in (ROOT / "docs" / kind).glob("*.md")} <= listed


@pytest.mark.parametrize("name", ["settings", "interface"])
def test_a_page_of_the_reference_is_what_is_generated(name: str) -> None:
    page = runpy.run_path(str(ROOT / "docs" / "reference" / f"{name}.py"))["page"]()
    assert (ROOT / "docs" / "reference" / f"{name}.md").read_text() == page, "run `make reference`"


def test_the_settings_page_has_every_variable() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [name.upper() for name in Settings.model_fields]
