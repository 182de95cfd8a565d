"""What a writer waits for: 500 messages/s over 50 crews, without capture, with it, and beside ticks and a backfill."""

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.capture import PGBENCH
from benchmarks.discovery import UNTIL, Benchmark, log
from benchmarks.measure import FOLDER, console, fresh_database
from convo_pipelines.engine import capture, ticks
from convo_pipelines.engine.registry import DISCOVERY
from convo_pipelines.engine.scopes import Window

CREWS, SESSIONS = 50, 10_000
MESSAGES_PER_SECOND, SECONDS, CLIENTS = 500, 20, 8

Row = dict[str, str]


def measure() -> list[Row]:
    with fresh_database() as url:
        benchmark = Benchmark(url, SESSIONS, CREWS)
        benchmark.load()
        benchmark.tick()
        rows = [measured("captured", url)]
        with beside(lambda: benchmark.tick()):
            rows.append(measured("captured, beside ticks", url))
        everything = Window(UNTIL - timedelta(days=SESSIONS), UNTIL + timedelta(days=2))
        with beside(lambda: [ticks.backfill(benchmark.warehouse, table, everything, log) for table in DISCOVERY]):
            rows.append(measured("captured, beside a backfill of everything", url))
        capture.switch(benchmark.warehouse, [], on=False)
        rows.insert(0, measured("not captured", url))
        benchmark.close()
    return rows


def measured(name: str, url: str) -> Row:
    """Write for a while at the given rate; a writer's latency does not count the time before its turn."""
    with tempfile.TemporaryDirectory() as folder:
        rate = ["-n", "-c", str(CLIENTS), "-j", "2", "-R", str(MESSAGES_PER_SECOND), "-T", str(SECONDS)]
        script = ["-M", "simple", "-f", str(FOLDER / "mixed_message.sql"), "-l", "--log-prefix", f"{folder}/log"]
        subprocess.run([PGBENCH, *rate, *script, url], check=True, capture_output=True)
        lines = [line.split() for file in Path(folder).iterdir() for line in file.read_text().splitlines()]
    milliseconds = np.array([(int(line[2]) - int(line[6])) / 1000 for line in lines])
    p50, p99, longest = np.percentile(milliseconds, [50, 99, 100])
    row = {
        "writer": name,
        "messages/s": f"{len(lines) / SECONDS:.0f}",
        "p50": f"{p50:.2f} ms",
        "p99": f"{p99:.2f} ms",
        "longest": f"{longest:.0f} ms",
    }
    console.print(row)
    return row


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Do something over and over meanwhile."""
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            work()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
