"""The main job at three sizes, against plain SQL and a materialized view."""

import logging
import time
from datetime import UTC, datetime

from convo_pipelines.windows import Window
from psycopg import sql

from benchmarks.measure import FOLDER, connect, console, fresh_database, median_seconds, run_file, seconds
from convo_pipelines import discovery
from convo_pipelines.assets import conversation_summaries, crew_conversations, histories_sessions
from convo_pipelines.automation.schedules import touched_days
from convo_pipelines.settings import settings
from convo_pipelines.sources import histories
from convo_pipelines.warehouse import Warehouse

CREWS = 10
SESSIONS_PER_DAY = 1_000
UNTIL = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
EVERYTHING = Window.of_days(datetime(2000, 1, 1, tzinfo=UTC).date(), datetime(2100, 1, 1, tzinfo=UTC).date())

log = logging.getLogger("benchmark")


def measure(sessions: int) -> dict[str, str]:
    discovery.POOL_SIZE = 1
    with fresh_database() as url:
        benchmark = Benchmark(url, sessions)
        row = benchmark.measure()
        benchmark.close()
    console.print(row)
    return row


class Benchmark:
    """One size: a server, its histories, and what is measured on it."""

    def __init__(self, url: str, sessions: int):
        self.sessions = sessions
        self.connection = connect(url)
        self.warehouse = Warehouse(url)
        self.arrived = sessions // CREWS

    def close(self) -> None:
        self.warehouse.close()
        self.connection.close()

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

    def plain_tick(self) -> None:
        with self.connection.transaction():
            run_file(self.connection, "plain_tick", after_id=(self.arrived - 1) * 10)

    def measure(self) -> dict[str, str]:
        self.load()
        run_file(self.connection, "plain_tables")
        plain_build = seconds(lambda: run_file(self.connection, "plain_build"))
        run_file(self.connection, "plain_drop")
        build = seconds(lambda: self.refresh(EVERYTHING))
        self.connection.execute("vacuum analyze")
        catching_up = seconds(self.catch_up)
        self.connection.execute("vacuum analyze")
        time.sleep(settings().link_sync_lookback_seconds + 1)  # as later on: the build is behind the lookback
        self.catch_up()
        tick = median_seconds(lambda: self.refresh(None), self.ten_new_sessions)
        time.sleep(settings().link_sync_lookback_seconds + 1)
        self.catch_up()
        skipped = median_seconds(self.news)
        assert self.news() is None
        plain_tick = median_seconds(self.plain_tick, self.ten_new_sessions)
        run_file(self.connection, "view")
        view = seconds(lambda: self.connection.execute("refresh materialized view concurrently benchmark_view"))
        return {
            "sessions": f"{self.sessions:,}",
            "full build": f"{build:.2f} s",
            "/ plain": f"{build / plain_build:.2f}",
            "catch-up after it": f"{catching_up:.2f} s",
            "tick, 10 new": f"{tick * 1000:.0f} ms",
            "/ plain tick": f"{tick / plain_tick:.1f}",
            "view / tick": f"{view / tick:.0f}",
            "skipped tick": f"{skipped * 1000:.1f} ms",
            "view / skipped": f"{view / skipped:.0f}",
        }
