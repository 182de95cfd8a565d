"""The tables of `examples/`, as a user applies and ticks them: each is what its SELECT says, also after changes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from convo_pipelines_tests.conftest import ROOT, Server

EXAMPLES = ROOT / "examples"
NAMES = sorted(file.parent.name for file in EXAMPLES.glob("*/rows.sql"))
QUERIES = re.findall(r"```sql\n(.*?)```", (EXAMPLES / "README.md").read_text(), re.DOTALL)
LINES = 25
CHANGES = """
update app.reply_targets set minutes = minutes / 2;
update app.messages set sent_at = sent_at + interval '8 days', direction = 'outbound' where hashtext(id::text) % 20 = 0;
delete from app.messages where hashtext(id::text) % 20 = 1;
update app.conversations set closed_at = null where hashtext(id::text) % 10 = 0;
update app.conversations set closed_at = now() where hashtext(id::text) % 10 = 1;
update app.people set client_id = (select min(id::text)::uuid from app.clients) where hashtext(id::text) % 10 = 0;
delete from app.message_recipients where hashtext(id::text) % 20 = 0;
update app.histories_crew_01 set message = jsonb_set(message, '{name}', '"search"') where message ->> 'type' = 'tool';
insert into app.histories_crew_02 (session_id, message, created_at)
select session_id, '{"type": "human", "content": "Hello?"}', now() from app.histories_crew_02;
truncate app.histories_crew_03;
delete from app.crews where crew_code = 'CREW-04';
delete from app.clients where client_code = 'C005';
"""


@pytest.fixture
def url(server: Server) -> str:
    return server.create()


@pytest.fixture
def run(url: str, tmp_path: Path) -> Callable[..., str]:
    """Runs `convo-pipelines` on a database of its own, with a copy of the examples."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("generated"))
    environment = os.environ | {"CONVO_DATABASE_URL": url, "CONVO_TABLES": str(tmp_path / "examples")}
    program = str(Path(sys.executable).with_name("convo-pipelines"))

    def run(*arguments: str) -> str:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return sorted(connection.execute(query.encode()).fetchall(), key=str)


def tables(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, which have to be those of its SELECT."""
    found = dict[str, list[tuple[Any, ...]]]()
    for name in NAMES:
        query = (EXAMPLES / name / "rows.sql").read_text()
        columns = connection.execute(query.encode()).description or []
        found[name] = rows(connection, f"select {', '.join(of.name for of in columns)} from analytics.{name}")
        assert found[name] == rows(connection, query) != [], name
    return found


@pytest.mark.long(25)
def test_the_examples_are_what_their_selects_say_also_after_changes(run: Callable[..., str], url: str) -> None:
    run("migrate", "up")
    run("data", "sample", "--sessions", "400", "--conversations", "200", "--people", "60")
    run("tick")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((EXAMPLES / "setup.sql").read_bytes())
        run("table", "apply", "--yes")
        run("tick")
        before = tables(connection)
        for query in QUERIES:
            assert rows(connection, query), query
        connection.execute(CHANGES.encode())
        run("tick")
        after = tables(connection)
        assert [name for name in NAMES if before[name] == after[name]] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short_and_the_page_queries_it(name: str) -> None:
    assert len((EXAMPLES / name / "rows.sql").read_text().splitlines()) <= LINES
    assert [f"analytics.{name}\n" in query for query in QUERIES].count(True) == 1
