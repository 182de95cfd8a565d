"""What a writer waits for: 500 messages/s over 50 crews, without capture, with it, and beside ticks and a backfill."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np

from benchmarks.capture import latencies
from benchmarks.discovery import UNTIL, Benchmark, log
from benchmarks.measure import console, fresh_database
from convo_pipelines.engine import capture, ticks
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model.tables import DISCOVERY, REGISTRY

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
        capture.switch(benchmark.warehouse, REGISTRY, [], on=False)
        rows.insert(0, measured("not captured", url))
        benchmark.close()
    return rows


def measured(name: str, url: str) -> Row:
    """Write for a while at the given rate."""
    milliseconds = latencies(url, "mixed_message", MESSAGES_PER_SECOND, SECONDS, CLIENTS, "simple")
    p50, p99, longest = np.percentile(milliseconds, [50, 99, 100])
    row = {
        "writer": name,
        "messages/s": f"{len(milliseconds) / SECONDS:.0f}",
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
