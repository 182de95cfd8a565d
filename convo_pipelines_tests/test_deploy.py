"""What stands in docs/deploy: the systemd units are valid, and what they start works."""

import configparser
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

from convo_pipelines.settings import Settings
from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.world import World

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = str(Path(sys.executable).parent)
ENVIRONMENT = (DEPLOY / "environment").read_text().splitlines()
SECONDS_TO_STOP = 30


def installed_here(text: str) -> str:
    return text.replace("/opt/convo_pipelines/bin", BIN)


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_the_units_are_valid(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Debian's systemd package")
        pytest.skip("no systemd-analyze: apt-get install systemd")
    for unit in UNITS:
        (tmp_path / unit.name).write_text(installed_here(unit.read_text()))
    command = ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))]
    verified = subprocess.run(command, capture_output=True, text=True)
    complaints = [line for line in verified.stderr.splitlines() if "convo-pipelines" in line]
    assert (len(UNITS), complaints) == (3, [])


def test_the_environment_file_names_every_variable() -> None:
    named = {line.removeprefix("#").split("=")[0] for line in ENVIRONMENT if "=" in line}
    assert named == {name.upper() for name in Settings.model_fields} | {"DAGSTER_EVENT_BATCH_SIZE"}


@pytest.fixture
def started(world: World, server: Server, tmp_path: Path) -> Iterator[int]:
    """The three processes, as the units start them; the port of the webserver."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    given = dict(line.split("=", 1) for line in ENVIRONMENT if line and not line.startswith("#"))
    given |= {"CONVO_DATABASE_URL": world.url, "DAGSTER_PG_URL": server.create(), "DAGSTER_HOME": str(home)}
    given |= {"ENABLE_BACKGROUND_JOBS": "false"}
    ports = {"4000": free_port(), "3000": free_port()}
    with ExitStack() as processes:
        for unit in UNITS:
            parser = configparser.ConfigParser(strict=False, interpolation=None)
            parser.read(unit)
            words = installed_here(parser["Service"]["ExecStart"]).split()
            command = [ports.get(word, word) for word in words]
            log = processes.enter_context((tmp_path / f"{unit.stem}.log").open("w"))
            process = subprocess.Popen(
                command, env=os.environ | given, cwd=elsewhere, stdout=log, stderr=subprocess.STDOUT
            )
            processes.callback(lambda process=process: process.wait(SECONDS_TO_STOP))
            processes.callback(process.terminate)
        yield int(ports["3000"])
    assert list(elsewhere.iterdir()) == []


def test_what_the_units_start_runs_jobs_and_writes_where_dagster_is_at_home(started: int, tmp_path: Path) -> None:
    def logs() -> str:
        return "\n".join(file.read_text()[-3_000:] for file in tmp_path.glob("*.log"))

    deadline = time.monotonic() + 180
    run_id = None
    while run_id is None:
        assert time.monotonic() < deadline, logs()
        time.sleep(1)
        try:
            client = DagsterGraphQLClient("127.0.0.1", port_number=started)
            run_id = client.submit_job_execution("health")
        except (DagsterGraphQLClientError, OSError):
            continue
    while (status := client.get_run_status(run_id)) is not dg.DagsterRunStatus.SUCCESS:
        assert time.monotonic() < deadline, logs()
        assert status is not dg.DagsterRunStatus.FAILURE, logs()
        time.sleep(1)
    assert (tmp_path / "home" / "storage" / run_id).is_dir()
