"""Three cells under one Dagster, whose webserver and daemon have no convo_pipelines: none disturbs another."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from convo_pipelines.engine.registry import TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, company
from convo_pipelines_tests.processes import DEPLOY, LAUNCH, STATUS, ask, free_port, wait_for, wait_until
from convo_pipelines_tests.world import World, at

CELLS = ("eu1", "eu2", "us1")
NEVER, EVERY_MINUTE = "0 0 1 1 *", "* * * * *"
CRONS = {"CONVERSATION_DISCOVERY_CRON": EVERY_MINUTE, "LINK_SYNC_CRON": EVERY_MINUTE} | {
    f"{job}_CRON": NEVER for job in ("HEALTH", "RECONCILE", "REPORT")
}
WITHOUT_US = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "convo_pipelines":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
"""
TICKS = """
query Ticks($selector: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { scheduleState { ticks(limit: 3) { status } } }
  }
}
"""


def start(command: list[str], log: Path, **environment: str) -> subprocess.Popen[bytes]:
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    with log.open("ab") as output:
        return subprocess.Popen(
            program,
            env=os.environ | environment,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started, as when its machine loses its power."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Dagster:
    """One Dagster with a code server for each cell, configured by the files of docs/deploy/cells."""

    def __init__(self, home: Path, storage: str, databases: dict[str, str]):
        self.home, self.databases = home, databases
        self.ports = {cell: free_port() for cell in databases}
        self.environment = {"DAGSTER_HOME": str(home), "DAGSTER_PG_URL": storage}
        (home / "dagster.yaml").write_text((DEPLOY / "cells" / "dagster.yaml").read_text())
        workspace = yaml.safe_load((DEPLOY / "cells" / "workspace.yaml").read_text())
        for location in workspace["load_from"]:
            location["grpc_server"]["port"] = int(self.ports[location["grpc_server"]["location_name"]])
        (home / "workspace.yaml").write_text(yaml.safe_dump(workspace))
        (home / "hidden").mkdir()
        (home / "hidden" / "sitecustomize.py").write_text(WITHOUT_US)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.processes = dict[str, subprocess.Popen[bytes]]()

    @property
    def logs(self) -> str:
        return "\n".join(f"{file.name}: {file.read_text()[-3_000:]}" for file in sorted(self.home.glob("*.log")))

    def start_cell(self, cell: str) -> None:
        module = ["--module-name", "convo_pipelines.definitions"]
        server = ["dagster", "api", "grpc", "--host", "127.0.0.1", *module, "--port"]
        variables = {"CONVO_CELL": cell, "CONVO_DATABASE_URL": self.databases[cell], **CRONS, **self.environment}
        self.processes[cell] = start([*server, self.ports[cell]], self.home / f"{cell}.log", **variables)

    def start_center(self) -> None:
        port = self.url.rpartition(":")[2]
        center = self.environment | {"PYTHONPATH": str(self.home / "hidden")}
        webserver = ["dagster-webserver", "-h", "127.0.0.1", "-p", port, "-w", "workspace.yaml"]
        self.processes["webserver"] = start(webserver, self.home / "webserver.log", **center)
        wait_for(f"{self.url}/server_info", self.processes["webserver"], self.home / "webserver.log")
        daemon = ["dagster-daemon", "run", "-w", "workspace.yaml"]
        self.processes["daemon"] = start(daemon, self.home / "daemon.log", **center)

    def ticks(self, cell: str) -> list[str]:
        """How the last ticks of a cell's schedule ended."""
        selector = {
            "scheduleName": "conversation_discovery_schedule",
            "repositoryName": "__repository__",
            "repositoryLocationName": cell,
        }
        found = ask(self.url, TICKS, selector=selector)["scheduleOrError"]
        return [tick["status"] for tick in found.get("scheduleState", {}).get("ticks", [])]


@contextmanager
def running(dagster: Dagster) -> Iterator[None]:
    try:
        for cell in dagster.databases:
            dagster.start_cell(cell)
        dagster.start_center()
        yield
    finally:
        for process in dagster.processes.values():
            kill(process)


@pytest.mark.long(120)
def test_three_cells_tick_are_backfilled_and_come_back_on_their_own(
    new_world: Callable[..., World], server: Server, tmp_path: Path
) -> None:
    worlds = {cell: new_world(company) for cell in CELLS}
    dagster = Dagster(tmp_path, server.create(), {cell: world.url for cell, world in worlds.items()})

    def write(*cells: str) -> None:
        for cell in cells:
            worlds[cell].say("4915112345678", "ai", at(1))
            worlds[cell].message(worlds[cell].conversation())

    def have_seen(*cells: str) -> bool:
        return not any(worlds[cell].has_news([*TABLES]) for cell in cells)

    with running(dagster):
        write(*CELLS)
        wait_until(lambda: have_seen(*CELLS), 240, dagster)

        worlds["eu1"].execute("delete from analytics.conversation_days; delete from analytics.histories_sessions")
        days = {"assetSelection": [{"path": ["eu1", "histories_sessions"]}, {"path": ["eu1", "conversation_days"]}]}
        backfill = ask(dagster.url, LAUNCH, params=days | {"allPartitions": True, "fromFailure": False})
        backfill_id = backfill["launchPartitionBackfill"]["backfillId"]
        state = lambda: ask(dagster.url, STATUS, id=backfill_id)["partitionBackfillOrError"]["status"]  # noqa: E731
        wait_until(lambda: state() == "COMPLETED_SUCCESS" and have_seen("eu1"), 240, dagster)
        oracle.assert_right(worlds["eu1"])

        kill(dagster.processes["eu2"])
        write(*CELLS)
        wait_until(lambda: have_seen("eu1", "us1"), 240, dagster)
        assert not have_seen("eu2")
        assert "FAILURE" not in [*dagster.ticks("eu1"), *dagster.ticks("us1")]

        dagster.start_cell("eu2")
        wait_until(lambda: have_seen("eu2"), 240, dagster)
    for world in worlds.values():
        oracle.assert_right(world)
        oracle.assert_links_right(world)
