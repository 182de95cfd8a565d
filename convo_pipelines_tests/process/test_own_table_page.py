"""`docs/start/your-own-table.md`: its commands print what the page says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.processes import following, says, wait_until

PAGE = (ROOT / "docs" / "start" / "your-own-table.md").read_text()
FENCES = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
FOLDER = "/home/ana/company"


@pytest.fixture
def shell(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs commands in an empty folder; what they export stays."""
    monkeypatch.setenv("CONVO_DATABASE_URL", server.create())
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "200")
    exported: list[str] = []

    def run(commands: str) -> str:
        text = "\n".join([*exported, commands])
        exported.extend(line for line in commands.splitlines() if line.startswith("export "))
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return run


@pytest.mark.long(25)
def test_the_commands_print_what_the_page_says(
    shell: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, commands, said = tmp_path / "tables" / "reply_sla" / "rows.sql", "", ""
    with ExitStack() as follower:
        for language, written in FENCES:
            text = written.replace(FOLDER, str(tmp_path))
            if language == "sql":
                rows.write_text(text)
            elif language == "diff":
                lines = text.splitlines(keepends=True)
                before, after = ("".join(line[1:] for line in lines if line[0] in f" {sign}") for sign in "-+")
                assert before in rows.read_text()
                rows.write_text(rows.read_text().replace(before, after))
            elif "serve follow" in text:
                monkeypatch.setenv("CONVO_TABLES", str(tmp_path / "tables"))
                follower.enter_context(following(os.environ["CONVO_DATABASE_URL"], tmp_path / "log"))
            elif language == "sh" and "pip install" not in text:
                commands, said = text, shell(text)
            elif not language and not says(said, text):
                assert "select" in commands, said
                wait_until(lambda commands=commands, text=text: says(shell(commands), text), 20)
    assert said == "analytics.reply_sla is dropped\n"
