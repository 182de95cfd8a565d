"""How long after a commit its rows are in every table, and how much CPU time the refreshing process takes.

    python -m benchmarks.freshness --command "convo-pipelines serve follow" --rate 20 --rate 200 --seconds 60

Ten clients with fifty crews write chats, mails, recipients, persons, contact methods and projects, each by a connection
of its own. Another connection looks for what each commit has to change in each table. It does so for at most a
tenth of the time.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import SimpleQueue

import click
import numpy as np
import psycopg

from benchmarks.discovery import Benchmark
from benchmarks.measure import FOLDER, connect, console, fresh_database, run_file
from benchmarks.usage import Processes
from benchmarks.writers import DAY, Expected, Writer
from convo_pipelines.cli.terminal import print_table
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import pipeline

CREWS, SESSIONS, CLIENTS = 50, 10_000, 10
RATES, SECONDS = (20, 200), 60
IDLE_SECONDS, SETTLE_SECONDS, LATEST_SECONDS = 30, 5, 150
LOOK_SECONDS, LOOK_SHARE, SAMPLE_SECONDS = 0.02, 0.1, 2
LOOK = (FOLDER / "freshness_look.sql").read_text()
TICK_LOOP = f"{sys.executable} -m benchmarks.tick_loop"
WAYS = {
    "follow": "convo-pipelines serve follow",
    "ticks without a pause": TICK_LOOP,
    "a tick every minute": f"{TICK_LOOP} --every 60",
}

Row = dict[str, str]


class Watcher(threading.Thread):
    """Looks for the expected rows; once `until` is set, until all are seen, or it is that late."""

    def __init__(self, url: str):
        super().__init__()
        self.url = url
        self.expected: SimpleQueue[Expected] = SimpleQueue()
        self.pending: dict[int, Expected] = {}
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.until: float | None = None

    def run(self) -> None:
        number = 0
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("set plan_cache_mode = force_generic_plan")
            while self.is_awaited():
                while not self.expected.empty():
                    self.pending[number] = self.expected.get()
                    number += 1
                started = time.perf_counter()
                found = self.look(connection) if self.pending else []
                seen = time.perf_counter()
                for one in found:
                    expected = self.pending.pop(one)
                    self.seconds[expected.table].append(seen - expected.committed)
                time.sleep(max(LOOK_SECONDS, (seen - started) / LOOK_SHARE))

    def is_awaited(self) -> bool:
        if self.until is None:
            return True
        return bool(self.pending or not self.expected.empty()) and time.perf_counter() < self.until

    def look(self, connection: psycopg.Connection[tuple]) -> list[int]:
        wanted = list(self.pending.values())
        arrays = {
            "numbers": list(self.pending),
            "tables": [one.table for one in wanted],
            "crews": [one.crew_id for one in wanted],
            "sessions": [one.session_id for one in wanted],
            "conversations": [one.conversation_id for one in wanted],
            "others": [one.other_id for one in wanted],
            "counts": [one.count for one in wanted],
        }
        return [row[0] for row in connection.execute(LOOK, arrays | {"day": DAY.date()}, prepare=True)]


def measure(
    ways: dict[str, str] = WAYS, rates: Sequence[int] = RATES, seconds: int = SECONDS
) -> tuple[list[Row], list[Row]]:
    """Measure commands, each on a server of its own: the seconds per table, and what they cost."""
    delays: dict[str, Row] = {name: {"table": name} for name in [*(table.name for table in DERIVED_TABLES), "all"]}
    costs: list[Row] = []
    for way, command in ways.items():
        with fresh_database() as url:
            fill(url)
            with running(command, url) as process:
                company = Company(url, process.pid)
                company.write(CLIENTS, SETTLE_SECONDS)
                idle = company.idle_share()
                for rate in rates:
                    run = company.write(rate, seconds)
                    for name, row in delays.items():
                        row[f"{way}, {rate}/s"] = run.delay(name)
                    costs.append({"": f"{way}, {rate}/s", **run.costs, "of a core, idle": idle})
                    console.print(costs[-1])
                company.close()
    return list(delays.values()), costs


def fill(url: str) -> None:
    """Make a company whose tables are built."""
    benchmark = Benchmark(url, SESSIONS, CREWS)
    benchmark.load()
    run_file(benchmark.connection, "freshness")
    pipeline.tick(benchmark.warehouse)
    benchmark.connection.execute("vacuum analyze")
    benchmark.connection.execute("checkpoint")
    benchmark.close()


@contextmanager
def running(command: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that is to be ended; what it prints is shown if it ends by itself."""
    environment = os.environ | {
        "CONVO_DATABASE_URL": url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(shlex.split(command), env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is not None:
                log.seek(0)
                console.print(f"{command} ended by itself:\n{log.read().decode()}")
            process.terminate()
            process.wait()


@dataclass
class Run:
    """What was seen of writers: seconds from commit to visible by table, and what it took."""

    seconds: dict[str, list[float]]
    costs: Row

    def delay(self, table: str) -> str:
        """Return p50, p99 and the longest of a table, or of all."""
        found = self.seconds[table] if table in self.seconds else [*chain(*self.seconds.values())]
        return " / ".join(f"{value:.2f}" for value in np.percentile(found, [50, 99, 100]))


class Company:
    """Ten writers, and the process that keeps what is derived from their rows."""

    def __init__(self, url: str, pid: int):
        self.url, self.own = url, connect(url)
        self.follower, self.server = Processes(pid), Processes.of_server(self.own)
        self.writers = [Writer(url, number) for number in range(CLIENTS)]

    def close(self) -> None:
        for one in (self.own, *(writer.connection for writer in self.writers)):
            one.close()

    def cpu_seconds(self) -> np.ndarray:
        """Return what the process and the server took so far."""
        return np.array([self.follower.cpu_seconds(), self.server.cpu_seconds()])

    def idle_share(self) -> str:
        """Return what both take of a core while nothing is written."""
        time.sleep(SETTLE_SECONDS)
        before = self.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        return " + ".join(f"{share:.1%}" for share in (self.cpu_seconds() - before) / IDLE_SECONDS)

    def write(self, rate: int, seconds: int) -> Run:
        """Let all write, and wait until everything is seen."""
        self.follower.megabytes.clear()
        log_rows = [self.sample()]
        watcher = Watcher(self.url)
        share = rate / CLIENTS, seconds, watcher.expected
        threads = [threading.Thread(target=writer.write, args=share) for writer in self.writers]
        commits, cpu, started = self.commits, self.cpu_seconds(), time.perf_counter()
        for thread in (watcher, *threads):
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(SAMPLE_SECONDS)
            log_rows.append(self.sample())
        shares = (self.cpu_seconds() - cpu) / (time.perf_counter() - started)
        watcher.until = time.perf_counter() + LATEST_SECONDS
        watcher.join()
        if watcher.pending:
            sys.exit(f"{len(watcher.pending)} never seen, such as {next(iter(watcher.pending.values()))}")
        log_rows.append(self.sample())
        statements = [took * 1000 for writer in self.writers for took in writer.statement_seconds]
        p99, longest = np.percentile(statements, [99, 100])
        memory = self.follower.megabytes
        return Run(
            watcher.seconds,
            {
                "commits/s": f"{(self.commits - commits) / seconds:.0f}",
                "writers' statements, p99": f"{p99:.1f} ms",
                "longest": f"{longest:.0f} ms",
                "rows of the logs": f"{log_rows[0]:,} → {log_rows[-1]:,}, at most {max(log_rows):,}",
                "memory": f"{memory[0]:.0f} → {memory[-1]:.0f} MB, at most {max(memory):.0f}",
                "of a core, process + server": " + ".join(f"{share:.0%}" for share in shares),
            },
        )

    @property
    def commits(self) -> int:
        return sum(writer.commits for writer in self.writers)

    def sample(self) -> int:
        """Look at the memory of the process; return how many rows the logs have."""
        self.follower.sample()
        [rows] = self.own.execute("select count(*) from analytics.changes").fetchone() or ()
        return rows


@click.command()
@click.option("--command", default=WAYS["follow"], show_default=True, help="What keeps the tables right.")
@click.option(
    "--rate", "rates", type=int, multiple=True, default=[20, 200], show_default=True, help="Commits a second."
)
@click.option("--seconds", type=int, default=SECONDS, show_default=True, help="For each rate.")
def main(command: str, rates: Sequence[int], seconds: int) -> None:
    """Measure one command, and print what was found."""
    delays, costs = measure({command: command}, rates, seconds)
    print_table(console, delays, title="seconds from commit to visible: p50 / p99 / longest")
    for row in costs:
        print_table(console, [{"what": name, "value": value} for name, value in row.items()])


if __name__ == "__main__":
    main()
