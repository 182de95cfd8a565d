"""`docs/how-to/n8n.md`: its commands print what the page says, of rows that the class writes which n8n's node uses."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests.adopted import assert_right, modes
from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.processes import NODE, npm_installed, says
from convo_pipelines_tests.world import World

PAGE = (ROOT / "docs" / "how-to" / "n8n.md").read_text()
FENCES = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
NOT_RUN = ("export CONVO_DATABASE_URL", "npm install")
"""Commands of the page that the test has run by other means."""


@pytest.fixture
def folder() -> Path:
    return npm_installed(Path(__file__).parent / "langchain")


@pytest.fixture
def world(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    opened = World(Warehouse(server.create()))
    monkeypatch.setenv("CONVO_DATABASE_URL", opened.url)
    yield opened
    opened.close()


@pytest.fixture
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs commands in the folder."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{NODE.parent}:{os.environ['PATH']}")

    def run(commands: str) -> str:
        done = subprocess.run(["bash", "-c", commands], cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return run


@pytest.mark.long(30)
def test_the_commands_print_what_the_page_says(shell: Callable[[str], str], folder: Path, world: World) -> None:
    said = ""
    for language, text in FENCES:
        if language == "js":
            (folder / "chat.mjs").write_text(text)
        elif language == "sh" and not text.startswith(NOT_RUN):
            said = shell(text)
        elif not language:
            assert says(said, text), said
    assert modes(world) == {}
    known, measured = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    world.execute(known)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as is_off:
        world.execute(measured)
    assert "track_commit_timestamp" in str(is_off.value.diag.message_hint)
    shell("convo-pipelines tick")
    [summary] = world.execute("select * from analytics.conversation_summaries where session_id = 'sales-2'")
    assert (summary["inbound_count"], summary["started_at"].isoformat()) == (1, "2026-01-31T12:00:00+00:00")
    assert_right(world)
