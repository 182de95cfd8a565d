"""A Ray cluster on loopback: a head that computes nothing, and workers of one core each."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from ray.job_submission import JobSubmissionClient

from convo_pipelines_tests.processes import free_port, wait_until

RAY = Path(sys.executable).with_name("ray")
OBJECT_STORE_BYTES = 300_000_000
SETTINGS = {
    "PATH": f"{RAY.parent}:{os.environ['PATH']}",  # the cluster runs `convo-pipelines`
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
}


class Cluster:
    """Started with these environment variables, which what runs on it has, too."""

    def __init__(self, folder: Path, workers: int, **environment: str):
        self.folder, self.environment = folder, os.environ | SETTINGS | environment
        self.port, self.workers = free_port(), list[psutil.Process]()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://127.0.0.1:{(dashboard := free_port())}"
        head = ["--head", "--port", self.port, "--num-cpus", "0", "--dashboard-port", dashboard]
        self._start("head", *head, "--temp-dir", str(folder / "ray"))
        for number in range(workers):
            before = self._processes("raylet")
            self._start(f"worker {number}", "--address", self.address, "--num-cpus", "1")
            [started] = self._processes("raylet") - before
            self.workers.append(started)
        wait_until(self._takes_jobs)

    def _takes_jobs(self) -> bool:
        try:
            JobSubmissionClient(self.url).submit_job(entrypoint="true")
        except RuntimeError:
            return False
        return True

    def _start(self, name: str, *options: str) -> None:
        memory = ["--object-store-memory", str(OBJECT_STORE_BYTES), "--node-ip-address", "127.0.0.1"]
        command = [RAY, "start", *options, *memory, "--dashboard-agent-listen-port", free_port()]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def _processes(self, name: str = "") -> set[psutil.Process]:
        found = psutil.process_iter(["name", "cmdline"])
        return {p for p in found if name in p.info["name"] and str(self.folder) in str(p.info["cmdline"])}

    def computing(self) -> int:
        """On how many workers Daft computes."""
        address = f"{self.url}/api/v0/actors?detail=false&limit=1000"
        with urllib.request.urlopen(address) as answer:
            actors = json.load(answer)["data"]["result"]["result"]
        return sum(actor["state"] == "ALIVE" and "Swordfish" in actor["class_name"] for actor in actors)

    def lose_a_worker(self) -> None:
        """Kill one with all of its processes, as when its machine loses its power."""
        for process in _family(self.workers.pop()):
            process.kill()

    def stop(self) -> None:
        for process in {child for parent in self._processes() for child in _family(parent)}:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _family(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [*process.children(recursive=True), process]
    return []


@contextmanager
def ray_cluster(workers: int = 2, **environment: str) -> Iterator[Cluster]:
    with TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:  # sockets want short paths
        cluster = Cluster(Path(folder), workers, **environment)
        try:
            yield cluster
        finally:
            cluster.stop()
