"""What deleting costs: single conversations, and clients with 10,000 while ticks run and others write."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from psycopg import sql

from benchmarks import links
from benchmarks.capture import PGBENCH
from benchmarks.latency import beside
from benchmarks.measure import FOLDER, connect, console, fresh_database, run_file, seconds
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.sources import n8n

SESSIONS = 2_000
"""Of each big client's 10,000 conversations, at 100,000 e-mail conversations."""
SINGLE, ROUNDS, BATCH_CONVERSATIONS = 300, 3, 500
MESSAGES_PER_SECOND, WRITERS, SECONDS, PAUSE_SECONDS = 100, 4, 15, 2
CLIENT = "(select id from app.clients where client_code = %s)"
LOCK_WAITS = (
    "select extract(epoch from clock_timestamp() - waitstart)::float8 from pg_locks where waitstart is not null"
)

Row = dict[str, str]


def measure(conversations: int) -> tuple[list[Row], list[Row]]:
    """Return what single deletions take, and what others wait meanwhile."""
    with fresh_database() as url:
        benchmark = Benchmark(url, conversations)
        single = [benchmark.single("without the pipeline")]
        alone = [benchmark.whole(benchmark.big.pop()) for _ in range(ROUNDS)]
        for _ in range(2):
            benchmark.tick(DERIVED_TABLES)
        benchmark.connection.execute("vacuum analyze")
        single.append(benchmark.single("with it") | {"the next tick": f"{benchmark.tick_seconds() * 1000:.0f} ms"})
        busy = [
            benchmark.busy("nothing", lambda _client: time.sleep(PAUSE_SECONDS)),
            benchmark.busy("a client, as one statement", benchmark.whole),
            benchmark.busy(f"a client, {BATCH_CONVERSATIONS} conversations a time", benchmark.in_batches),
        ]
        benchmark.close()
    still = {"deleted": "a client, without pipeline and writers", "takes": f"{statistics.median(alone):.2f} s"}
    return single, [{name: still.get(name, "") for name in busy[0]}, *busy]


class Benchmark(links.Benchmark):
    """Twelve clients of 10,000 conversations each, a fifth of them a crew's, and one whom others write to."""

    def __init__(self, url: str, conversations: int):
        super().__init__(url, conversations)
        run_file(self.connection, "big_clients", sessions=SESSIONS)
        self.big = [row[0] for row in self.connection.execute("select crew_code from app.crews order by id")]
        for code in self.big:
            self.write_sessions(code)
        self.connection.execute("create index on app.contact_methods (person_id)")
        self.connection.execute("vacuum analyze")

    def write_sessions(self, code: str) -> None:
        table = f"histories_{code.lower()}"
        with self.warehouse.connection() as connection:
            n8n.create_table(connection, table)
        query = sql.SQL((FOLDER / "histories.sql").read_text()).format(table=sql.Identifier("app", table))
        values = {"sessions": SESSIONS, "crew": 1, "seconds": 3600, "until": datetime.now(UTC)}
        self.connection.execute(query, values)

    def tick_seconds(self) -> float:
        return seconds(lambda: self.tick(DERIVED_TABLES))

    def single(self, name: str) -> Row:
        """Delete random conversations one by one, each in a transaction of its own."""
        query = f"select id from app.conversations where client_id = {CLIENT} order by random() limit %s"
        ids = [row[0] for row in self.connection.execute(query, [self.big[0], SINGLE])]
        delete = "delete from app.conversations where id = %s"
        times = [seconds(lambda id_=id_: self.connection.execute(delete, [id_])) * 1000 for id_ in ids]
        row = {
            f"{SINGLE} conversations": name,
            "p50": f"{statistics.median(times):.1f} ms",
            "p99": f"{statistics.quantiles(times, n=100)[-1]:.1f} ms",
            "longest": f"{max(times):.0f} ms",
            "the next tick": "",
        }
        console.print(row)
        return row

    def whole(self, code: str) -> float:
        return seconds(lambda: self.connection.execute("delete from app.clients where client_code = %s", [code]))

    def in_batches(self, code: str) -> float:
        batch = f"select id from app.conversations where client_id = {CLIENT} limit %s"
        delete = f"delete from app.conversations where id in ({batch})"

        def work() -> None:
            while self.connection.execute(delete, [code, BATCH_CONVERSATIONS]).rowcount:
                pass
            self.whole(code)

        return seconds(work)

    def busy(self, name: str, delete: Callable[[str], float | None]) -> Row:
        """Delete clients, each while ticks run one after the other and others write; the longest waits are of all."""
        takes: list[float] = []
        written: list[float] = []
        ticks: list[float] = []
        waits: list[float] = []
        for _ in range(ROUNDS):
            with beside(lambda: ticks.append(self.tick_seconds())), self.watching(waits), self.writing(written):
                time.sleep(PAUSE_SECONDS)
                took = delete(self.big[-1])
                if took:
                    takes.append(took)
                    self.big.pop()
        p50, longest = np.percentile(written, [50, 100])
        row = {
            "deleted": name,
            "takes": f"{statistics.median(takes):.2f} s" if takes else "",
            "ticks": f"{len(ticks)}",
            "longest tick": f"{max(ticks):.2f} s",
            "a message's p50": f"{p50:.1f} ms",
            "longest": f"{longest:.0f} ms",
            "longest wait for a lock": f"{max(waits, default=0) * 1000:.0f} ms",
        }
        console.print(row)
        return row

    @contextmanager
    def writing(self, milliseconds: list[float]) -> Iterator[None]:
        """Let others write for a while, at a given rate; their latency does not count the time before their turn."""
        with tempfile.TemporaryDirectory() as folder:
            rate = ["-n", "-c", str(WRITERS), "-R", str(MESSAGES_PER_SECOND), "-T", str(SECONDS)]
            script = ["-f", str(FOLDER / "others_message.sql"), "-l", "--log-prefix", f"{folder}/log"]
            command = [PGBENCH, *rate, *script, self.warehouse.url]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            yield
            _, errors = process.communicate()
            assert process.returncode == 0, errors
            lines = [line.split() for file in Path(folder).iterdir() for line in file.read_text().splitlines()]
        milliseconds += [(int(line[2]) - int(line[6])) / 1000 for line in lines]

    @contextmanager
    def watching(self, waits: list[float]) -> Iterator[None]:
        """Note how long anybody has waited for a lock, a hundred times a second."""
        with connect(self.warehouse.url) as watcher:

            def look() -> None:
                waits.extend(row[0] for row in watcher.execute(LOCK_WAITS))
                time.sleep(0.01)

            with beside(look):
                yield
