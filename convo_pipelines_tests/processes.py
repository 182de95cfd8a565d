"""Real Dagster processes, as operators run them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

import pytest

ROOT = Path(__file__).parent.parent
SECONDS_TO_STOP = 60


class DagsterDev:
    """`dagster dev`: webserver, daemon and code server, storage in PostgreSQL by the real dagster.yaml."""

    def __init__(self, home: Path, database: str, storage: str, **environment: str):
        shutil.copy(ROOT / "dagster.yaml", home)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self.log = home / "log"
        self.environment = os.environ | environment | {
            "CONVO_DATABASE_URL": database,
            "DAGSTER_PG_URL": storage,
            "DAGSTER_HOME": str(home),
        }  # fmt: skip
        self.command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
        self.command += ["-w", str(ROOT / "workspace.yaml")]

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
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/server_info", timeout=5)
            except OSError:
                time.sleep(1)
            else:
                return self
        pytest.fail(f"Dagster did not start:\n{self.log.read_text()}")

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
