"""`examples/`, as users run it: its tables are what their SELECTs say, and assets of a Dagster project of its own."""

import json
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
import yaml

from convo_pipelines_tests.conftest import ROOT, Server

EXAMPLES = ROOT / "examples"
TABLES = EXAMPLES / "tables"
NAMES = sorted(file.parent.name for file in TABLES.glob("*/rows.sql"))
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
    """Runs commands on a database of its own, in a copy of the examples, with storage as Dagster has it by default."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("generated"))
    (tmp_path / "home").mkdir()
    environment = os.environ | {
        "CONVO_DATABASE_URL": url,
        "CONVO_TABLES": str(folder / "tables"),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(folder),
    }
    programs = Path(sys.executable).parent

    def run(*command: str) -> str:
        done = subprocess.run(
            [programs / command[0], *command[1:]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return sorted(connection.execute(query.encode()).fetchall(), key=str)


def tables(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, which have to be those of its SELECT."""
    found = dict[str, list[tuple[Any, ...]]]()
    for name in NAMES:
        query = (TABLES / name / "rows.sql").read_text()
        columns = connection.execute(query.encode()).description or []
        found[name] = rows(connection, f"select {', '.join(of.name for of in columns)} from analytics.{name}")
        assert found[name] == rows(connection, query) != [], name
    return found


def fill(run: Callable[..., str]) -> None:
    run("convo-pipelines", "migrate", "up")
    run("convo-pipelines", "data", "sample", "--sessions", "400", "--conversations", "200", "--people", "60")
    run("convo-pipelines", "tick")


@pytest.mark.long(25)
def test_the_examples_are_what_their_selects_say_also_after_changes(run: Callable[..., str], url: str) -> None:
    fill(run)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((EXAMPLES / "setup.sql").read_bytes())
        run("convo-pipelines", "table", "apply", "--yes")
        run("convo-pipelines", "tick")
        before = tables(connection)
        for query in QUERIES:
            assert rows(connection, query), query
        connection.execute(CHANGES.encode())
        run("convo-pipelines", "tick")
        after = tables(connection)
        assert [name for name in NAMES if before[name] == after[name]] == []


@pytest.mark.long(40)
def test_the_examples_are_assets_of_a_project_beside_its_own(run: Callable[..., str], url: str) -> None:
    fill(run)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((EXAMPLES / "setup.sql").read_bytes())
        run("convo-pipelines", "table", "apply", "--yes")
        run("convo-pipelines", "tick")
        found = json.loads(run("dg", "list", "defs", "--json"))
        keys = {asset["asset_key"] for asset in found["assets"]}
        assert {*NAMES, "late_answers", "conversation_summaries"} <= keys
        crons = {schedule["name"]: schedule["cron_schedule"] for schedule in found["schedules"]}
        assert crons["tick_person_weeks_schedule"] == "0 * * * *"
        [[day]] = rows(connection, "select max(asked_at)::date::text from analytics.reply_sla")
        connection.execute("update analytics.reply_sla set answered_at = null where asked_at >= %s", [day])
        run("dg", "launch", "--assets", "reply_sla", "--partition", day)
        run("dg", "launch", "--assets", "late_answers")
        tables(connection)


def test_the_component_is_listed_and_scaffolded(run: Callable[..., str], tmp_path: Path) -> None:
    assert "convo_pipelines.DerivedTables" in run("dg", "list", "components")
    run("dg", "scaffold", "defs", "convo_pipelines.DerivedTables", "more")
    more = tmp_path / "examples" / "company" / "defs" / "more"
    assert yaml.safe_load((more / "defs.yaml").read_text()) == {
        "type": "convo_pipelines.DerivedTables",
        "attributes": {"path": "tables"},
    }
    assert (more / "tables").is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short_and_the_page_queries_it(name: str) -> None:
    assert len((TABLES / name / "rows.sql").read_text().splitlines()) <= LINES
    assert [f"analytics.{name}\n" in query for query in QUERIES].count(True) == 1
