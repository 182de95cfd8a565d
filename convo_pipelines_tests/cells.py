"""One Dagster with a code server for each cell, configured by the files of docs/deploy/cells."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import yaml

from convo_pipelines_tests.processes import DEPLOY, ask, free_port, wait_for

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
    """A webserver and a daemon that cannot import convo_pipelines, and the code server of each cell, which can."""

    def __init__(self, home: Path, storage: str, databases: Mapping[str, str], crons: Mapping[str, str]):
        self.home, self.databases, self.crons = home, databases, crons
        self.ports = {cell: free_port() for cell in databases}
        self.environment = {"DAGSTER_HOME": str(home), "DAGSTER_PG_URL": storage}
        (home / "dagster.yaml").write_text((DEPLOY / "cells" / "dagster.yaml").read_text())
        workspace = yaml.safe_load((DEPLOY / "cells" / "workspace.yaml").read_text())
        server = workspace["load_from"][0]["grpc_server"]
        workspace["load_from"] = [
            {"grpc_server": server | {"port": int(port), "location_name": cell}} for cell, port in self.ports.items()
        ]
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
        variables = {"CONVO_CELL": cell, "CONVO_DATABASE_URL": self.databases[cell], **self.crons, **self.environment}
        self.processes[cell] = start([*server, self.ports[cell]], self.home / f"{cell}.log", **variables)

    def wait_for_cells(self) -> None:
        """Return as soon as each code server has loaded its definitions."""
        for cell, port in self.ports.items():
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                is_ready = grpc.channel_ready_future(channel)
                while not is_ready.done():
                    assert self.processes[cell].poll() is None, f"the code server of {cell} has ended"
                    time.sleep(0.2)

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
        dagster.wait_for_cells()
        dagster.start_center()
        yield
    except BaseException as error:
        error.add_note(dagster.logs)
        raise
    finally:
        for process in dagster.processes.values():
            kill(process)
