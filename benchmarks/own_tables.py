"""What tables of one's own cost while nothing happens, and how soon they are right under `serve follow`.

    python -m benchmarks.own_tables

The tables are copies of the example `reply_sla`. Each number of them is measured by a process of its own, in turns: the
declarations are read when it starts.
"""

import json
import logging
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import click
import numpy as np
import psycopg

from benchmarks.discovery import Benchmark
from benchmarks.freshness import running
from benchmarks.measure import FOLDER, console, fresh_database, median_seconds, variables
from convo_pipelines.authoring import application
from convo_pipelines.cli.terminal import print_table
from convo_pipelines.database import declarations
from convo_pipelines.engine import change_log, ticks
from convo_pipelines.engine.registry import Registry

EXAMPLE = FOLDER.parent / "examples" / "tables" / "reply_sla" / "rows.sql"
NUMBERS, ROUNDS, TICKS, LOOKS = (0, 10), 3, 100, 300
RATE, SECONDS, SETTLE_SECONDS, LATEST_SECONDS, LOOK_SECONDS = 20, 60, 5, 30, 0.02
TARGETS = """
create table app.reply_targets (client_id uuid primary key, minutes int not null);
insert into app.reply_targets select id, 60 from app.clients;
"""
ASK = """
with conversation as (
    insert into app.conversations (client_id, channel) select id, 'email' from app.clients limit 1 returning id
)
insert into app.messages (conversation_id, direction, sent_at) select id, 'inbound', now() from conversation
returning conversation_id
"""
SEEN = "select conversation_id from analytics.reply_sla_0 where conversation_id = any(%s)"

log = logging.getLogger("benchmark")
Row = dict[str, str]


def copies(number: int, folder: Path) -> str:
    """Write so many tables; return CONVO_TABLES."""
    for copy in range(number):
        (folder / f"reply_sla_{copy}").mkdir()
        shutil.copy(EXAMPLE, folder / f"reply_sla_{copy}")
    return str(folder)


def measure() -> tuple[list[Row], Row]:
    """Return what is paid while nothing happens, with and without such tables, and the seconds until a row is seen."""
    found: dict[int, list[dict[str, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for number in NUMBERS:
            command = [sys.executable, "-m", "benchmarks.own_tables", "--idle", str(number)]
            found[number].append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    rows = [
        {
            "what": what,
            **{f"{number} tables": f"{of[number]:.2f} ms" for number in NUMBERS},
            "/ none": f"{of[10] / of[0]:.2f}",
        }
        for what in found[0][0]
        for of in [{number: median(one[what] for one in found[number]) for number in NUMBERS}]
    ]
    return rows, follow()


def idle(number: int) -> dict[str, float]:
    """Return milliseconds of what is done while nothing happens, with so many tables of one's own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_database() as url,
        variables(CONVO_TABLES=copies(number, Path(folder))),
    ):
        benchmark = prepared(url)
        tables = list(Registry(declarations.tables(), declarations.logs()))
        for _ in range(5):
            ticks.tick_all(benchmark.warehouse, tables, log)
        with benchmark.warehouse.connection() as connection:
            seen = change_log.look_at_all(connection, None).to_snapshot
            look = median_seconds(lambda: change_log.look_at_all(connection, seen), repeats=LOOKS)
        tick = median_seconds(lambda: ticks.tick_all(benchmark.warehouse, tables, log), repeats=TICKS)
        benchmark.close()
    return {"a follower's look": look * 1000, "a tick without news": tick * 1000}


def prepared(url: str) -> Benchmark:
    """Make a company, and apply the tables."""
    application.forget()
    benchmark = Benchmark(url, 1_000)
    benchmark.load()
    benchmark.connection.execute(TARGETS)
    application.apply(
        benchmark.warehouse, *(application.plan(benchmark.warehouse, one) for one in application.declared())
    )
    return benchmark


def follow() -> Row:
    """Return the seconds from the commit of a question until it is in a table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_database() as url,
        variables(CONVO_TABLES=copies(1, Path(folder))),
    ):
        prepared(url).close()
        with running("convo-pipelines serve follow", url):
            time.sleep(SETTLE_SECONDS)
            seconds = asked(url)
    p50, p99, longest = np.percentile(seconds, [50, 99, 100])
    return {
        "commits": f"{len(seconds):,}, {RATE}/s",
        "p50": f"{p50:.2f} s",
        "p99": f"{p99:.2f} s",
        "longest": f"{longest:.2f} s",
    }


def asked(url: str, ask: str = ASK, seen: str = SEEN) -> list[float]:
    """Ask questions, and wait for them to be seen; return the seconds that each took."""
    pending: dict[object, float] = {}
    seconds: list[float] = []
    is_over = threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            latest = float("inf")
            while pending or not is_over.is_set():
                for [one] in connection.execute(seen, [list(pending)]):
                    seconds.append(time.perf_counter() - pending.pop(one))
                if (
                    is_over.is_set()
                    and (latest := min(latest, time.perf_counter() + LATEST_SECONDS)) < time.perf_counter()
                ):
                    sys.exit(f"{len(pending)} never seen")
                time.sleep(LOOK_SECONDS)

    thread = threading.Thread(target=look)
    thread.start()
    with psycopg.connect(url, autocommit=True) as connection:
        started = time.perf_counter()
        for number in range(RATE * SECONDS):
            time.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            [[key]] = connection.execute(ask).fetchall()
            pending[key] = time.perf_counter()
    is_over.set()
    thread.join()
    return seconds


@click.command()
@click.option("--idle", "number", type=int, help="Measure what so many tables cost, and print it as JSON.")
def main(number: int | None) -> None:
    """Measure, and print what was found."""
    if number is not None:
        print(json.dumps(idle(number)))
        return
    rows, delay = measure()
    print_table(console, rows, title="while nothing happens, medians of three processes")
    print_table(console, [delay], title="from commit to visible in a table of one's own")


if __name__ == "__main__":
    main()
