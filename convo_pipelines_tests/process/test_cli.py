"""The command line as an operator uses it: real processes, Dagster's storage in PostgreSQL by the real dagster.yaml."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at

PLANNED = "select count(*) from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'"


@pytest.fixture
def command(world: World, server: Server, tmp_path: Path) -> object:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    environment = os.environ | {
        "CONVO_DATABASE_URL": world.url,
        "DAGSTER_PG_URL": server.create(),
        "DAGSTER_HOME": str(tmp_path),
        "COLUMNS": "250",
    }

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        program = str(Path(sys.executable).with_name("convo-pipelines"))
        return subprocess.run(
            [program, *arguments],
            env=environment | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    run.storage = environment["DAGSTER_PG_URL"]
    return run


@pytest.mark.long(20)
def test_the_demo_shows_the_tables_and_passes_every_check(command: object) -> None:
    shown = command("demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "a company of 5 clients, 10 crews and 300 people" in shown.stdout
    assert "and a page" in shown.stdout


@pytest.mark.long(20)
def test_refresh_verify_and_status(command: object, world: World, tmp_path: Path) -> None:
    world.crew()
    world.say("s1", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    world.address(world.conversation(), world.contact("ana@example.com", world.person()))
    refreshed = command("refresh", ",".join([*PIPELINE, *LINKS]), "--start", "2026-03-01")
    assert refreshed.returncode == 0, refreshed.stderr
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    with psycopg.connect(command.storage) as storage:
        planned = storage.execute(PLANNED).fetchall()
    assert planned == [(len([*PIPELINE, *LINKS]),)]  # not one for each day
    reported = command("refresh", "activity_report", "--client", "C1")
    assert reported.returncode == 0, reported.stderr
    assert [file.name for file in (tmp_path / ".local" / "reports").iterdir()] == ["activity-C1.html"]
    verified = command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "every_message_is_counted" in verified.stdout
    world.execute("update analytics.crew_discovery_state set last_error = 'table app.:key:1:[a] does not exist'")
    verified = command("verify")
    assert verified.returncode == 1
    assert "table app.:key:1:[a] does not exist" in verified.stdout
    status = command("status").stdout
    assert "does not exist" in status
    assert "conversation_summaries" in status
    world.crew("B")
    world.execute("alter table app.histories_b rename session_id to other")
    failed = command("refresh", "histories_sessions", "--crew", "B", LOG_FORMAT="json")
    assert failed.returncode == 1
    lines = [json.loads(line) for line in failed.stderr.splitlines()]
    assert lines[-1]["message"] == "the run, or one of its crews, failed; see the log above"


def test_a_refresh_of_one_client_leaves_the_others(command: object, world: World) -> None:
    for crew, client in (("A", "C1"), ("B", "C2")):
        world.crew(crew, client=client)
        world.say("s1", crew=crew)
    world.tick()
    world.execute("update analytics.histories_sessions set message_count = 0")
    backfilled = command("refresh", "histories_sessions", "--client", "C2")
    assert backfilled.returncode == 0, backfilled.stderr
    assert len(world.execute("select from analytics.histories_sessions where message_count > 0")) == 1


def test_reconcile_prints_what_it_did(command: object, world: World) -> None:
    world.address(world.conversation(), world.contact("ana@example.com", world.person()))
    world.conversation(client=None)
    done = command("reconcile")
    assert done.returncode == 0, done.stderr
    oracle.assert_links_right(world)
    for figure in (
        "0 rows of drift",
        "2 links kept",
        "1 conversations with people",
        "1 conversations with clients",
        "1 conversations without any",
    ):
        assert figure in done.stdout
    world.execute("delete from analytics.people_conversations")
    done = command("reconcile")
    assert "1 links created" in done.stdout
    assert "1 rows of drift" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["refresh", "sessions"], "no asset is called sessions; there are: histories_sessions, crew_activity_daily"),
        (
            ["data", "import-histories", str(ROOT / "setup.py"), "--crew", "NOBODY"],
            "no active crew has the code NOBODY",
        ),
    ],
)
def test_mistakes_are_explained_in_a_line(command: object, arguments: list[str], complaint: str) -> None:
    result = command(*arguments)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_an_invalid_environment_refuses_to_start(command: object) -> None:
    result = command("status", CREW_TIMEOUT_SECONDS="soon", CONVO_DATABASE_URL="mysql://root:secret@localhost")
    assert result.returncode == 1
    assert "CREW_TIMEOUT_SECONDS='soon' is not valid" in result.stderr
    assert "secret" not in result.stdout + result.stderr
