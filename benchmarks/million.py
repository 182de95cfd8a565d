"""A million sessions in the database: the webhook under load, reading all of it, and the memory that workers need."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.discovery import CREWS, UNTIL, Benchmark, log
from benchmarks.measure import FOLDER, console, fresh_database, run_file
from convo_pipelines.engine import ticks
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model.tables import DISCOVERY
from convo_pipelines_tests.processes import NODE, NPM, free_port, wait_for

IDENTIFIERS = 1_000_000
AUTOCANNON = "autocannon@8.0.0"
COMMAND = str(Path(sys.executable).with_name("convo-pipelines"))
SECRET = "the secret of a benchmark"
READ = """
import resource, time
from convo_pipelines.serving import read
read.crew_activity()
started = time.perf_counter()
frame = read.summaries()
seconds = time.perf_counter() - started
size = frame.memory_usage(deep=True).sum() / 2**20
print(len(frame), seconds, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
"""

Row = dict[str, str]


def measure(sessions: int) -> dict[str, list[Row]]:
    """Return the rows of three tables: memory, reading, the webhook."""
    with fresh_database() as url:
        benchmark = Benchmark(url, sessions)
        benchmark.load()
        memory = [worker(url, f"full build of {sessions:,} sessions", COMMAND, "tick")]
        reading = [read(url)]
        webhook = list(loads(url, benchmark))
        run_file(benchmark.connection, "identifiers", identifiers=IDENTIFIERS)
        memory.append(worker(url, f"normalization of {IDENTIFIERS:,} identifiers", COMMAND, "tick"))
        memory.append(worker(url, f"reconcile of {sessions:,} conversations", COMMAND, "reconcile"))
        benchmark.close()
    return {"memory": memory, "reading": reading, "webhook": webhook}


def worker(url: str, name: str, *command: str) -> Row:
    """Run a command to its end; say how long it took, and how much memory it and the server's processes needed."""
    written, started = temporary_bytes(url), time.perf_counter()
    with largest_backend() as backend:
        process = subprocess.Popen(command, env=os.environ | {"CONVO_DATABASE_URL": url}, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, name
    row = {
        "work": name,
        "time": f"{time.perf_counter() - started:.0f} s",
        "peak memory": f"{usage.ru_maxrss / 2**10:.0f} MB",
        "largest backend": f"{max(backend) / 2**10:.0f} MB",
        "temporary files": f"{(temporary_bytes(url) - written) / 2**20:,.0f} MB",
    }
    console.print(row)
    return row


@contextmanager
def largest_backend() -> Iterator[list[int]]:
    """Look each 50 ms how many KiB of memory that is not shared the largest process of a server has."""
    sizes, is_over = [0], threading.Event()

    def look() -> None:
        while not is_over.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, IndexError):
                    if (process / "comm").read_text() == "postgres\n":
                        sizes.append(int((process / "status").read_text().split("RssAnon:")[1].split()[0]))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        is_over.set()
        thread.join()


def temporary_bytes(url: str) -> int:
    """Return how much the server has written into temporary files."""
    with psycopg.connect(url) as connection:
        query = "select temp_bytes::bigint from pg_stat_database where datname = current_database()"
        [written] = connection.execute(query).fetchone() or (0,)
    return written


def read(url: str) -> Row:
    command = [sys.executable, "-c", READ]
    environment = os.environ | {"CONVO_DATABASE_URL": url}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    rows, seconds, size, peak = (float(figure) for figure in done.stdout.split())
    row = {
        "read": "read.summaries()",
        "rows": f"{rows:,.0f}",
        "time": f"{seconds:.1f} s",
        "frame": f"{size:.0f} MB",
        "peak memory of the process": f"{peak:.0f} MB",
    }
    console.print(row)
    return row


def loads(url: str, benchmark: Benchmark) -> Iterator[Row]:
    """Call the webhook for new sessions, some alone, some beside a backfill of everything, some as fast as it goes."""
    with tempfile.TemporaryDirectory() as folder, served(url, Path(folder)) as address:
        yield load(benchmark, address, Path(folder), "20 requests/s", rate=20, seconds=30)
        yield load(benchmark, address, Path(folder), "100 requests/s", rate=100, seconds=20)
        with beside_a_backfill(benchmark):
            yield load(benchmark, address, Path(folder), "20 requests/s beside a backfill", rate=20, seconds=30)


@contextmanager
def served(url: str, folder: Path) -> Iterator[str]:
    """The webhook as a process of its own, and a tool that loads it."""
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "load.mjs").write_text((FOLDER / "load.mjs").read_text())
    subprocess.run([NODE, NPM, "install", "--silent", "--no-audit", AUTOCANNON], cwd=folder, check=True)
    address = f"http://127.0.0.1:{(port := free_port())}"
    environment = os.environ | {"CONVO_DATABASE_URL": url, "WEBHOOK_SECRET": SECRET}
    with (folder / "log").open("w") as output:
        process = subprocess.Popen(
            [COMMAND, "serve", "webhook", "--port", port], env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(f"{address}/healthz", process, folder / "log")
        yield f"{address}/webhooks/conversation-complete"
    finally:
        process.terminate()
        process.wait()


def load(benchmark: Benchmark, address: str, folder: Path, name: str, *, rate: int, seconds: int) -> Row:
    first = benchmark.arrived + 1
    benchmark.arrived += rate * seconds // CREWS
    for crew in range(CREWS):
        benchmark.insert_sessions(crew, first, benchmark.arrived, UNTIL + timedelta(days=1))
    sessions = [
        f"crew-{crew} session-{crew}-{first}-{number}"
        for number in range(1, benchmark.arrived - first + 2)
        for crew in range(CREWS)
    ]
    (folder / "sessions").write_text("\n".join(sessions))
    command = [NODE, "load.mjs", address, SECRET, "sessions", str(rate), str(min(rate, 50))]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    query = (
        "select count(*) from analytics.conversation_summaries where message_count = 10 and crew_id is not null "
        "and session_id = any(%s)"
    )
    [right] = benchmark.connection.execute(query, [[line.split()[1] for line in sessions]]).fetchone() or ()
    row = {
        "load": name,
        "reached": f"{found['rate']:.0f}/s",
        "p50": f"{found['p50']} ms",
        "p99": f"{found['p99']} ms",
        "longest": f"{found['max']} ms",
        "answered 200": f"{found['ok']:,} of {len(sessions):,}",
        "sessions right": f"{right:,}",
    }
    console.print(row)
    return row


@contextmanager
def beside_a_backfill(benchmark: Benchmark) -> Iterator[None]:
    everything = Window(UNTIL - timedelta(days=2_000), UNTIL + timedelta(days=2))
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            for table in DISCOVERY:
                if not is_over.is_set():
                    ticks.backfill(benchmark.warehouse, table, everything, log)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
