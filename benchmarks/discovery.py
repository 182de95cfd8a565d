"""The main job at three sizes, against plain SQL and a materialized view."""

import logging
from datetime import UTC, datetime

from psycopg import sql

from benchmarks.measure import FOLDER, connect, console, fresh_database, median_seconds, run_file, seconds, variables
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model import isolation
from convo_pipelines.model.tables import DISCOVERY
from convo_pipelines.sources import n8n

CREWS = 10
SESSIONS_PER_DAY = 1_000
TICKS = 20
UNTIL = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

log = logging.getLogger("benchmark")


def measure(sessions: int) -> dict[str, str]:
    with fresh_database() as url, variables(REFRESH_WORKERS="1"):
        benchmark = Benchmark(url, sessions)
        row = benchmark.measure()
        benchmark.close()
    console.print(row)
    return row


class Benchmark:
    """One size: a server, its histories, and what is measured on it."""

    def __init__(self, url: str, sessions: int, crews: int = CREWS):
        self.sessions, self.crews = sessions, crews
        self.connection = connect(url)
        self.warehouse = Warehouse(url)
        self.arrived = sessions // crews

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
        for crew in range(self.crews):
            table = f"histories_{crew}"
            self.connection.execute(
                "insert into app.crews (client_id, crew_code, name, histories_table_name) values (%s, %s, %s, %s)",
                [client, f"crew-{crew}", table, table],
            )
            with self.warehouse.connection() as connection:
                n8n.create_table(connection, table)
            self.insert_sessions(crew, 1, self.sessions // self.crews, UNTIL)
        self.connection.execute("vacuum analyze")

    def tick(self) -> None:
        """Do what a tick's run does in the database; the first one builds."""
        for table in DISCOVERY:
            outcome, results = ticks.tick(self.warehouse, table, log)
            undone = [isolation.describe(result) for result in results if result.error or not result.caught_up]
            assert not undone, undone
            assert not outcome.is_skipped, table.name

    def news(self) -> bool:
        return ticks.have_news(self.warehouse, DISCOVERY)

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
        build = seconds(self.tick)
        first_tick = seconds(self.tick)
        self.connection.execute("vacuum analyze")
        tick = median_seconds(self.tick, self.ten_new_sessions, TICKS)
        skipped = median_seconds(self.news)
        assert not self.news()
        plain_tick = median_seconds(self.plain_tick, self.ten_new_sessions, TICKS)
        run_file(self.connection, "view")
        view = seconds(lambda: self.connection.execute("refresh materialized view concurrently benchmark_view"))
        return {
            "sessions": f"{self.sessions:,}",
            "full build": f"{build:.2f} s",
            "/ plain": f"{build / plain_build:.2f}",
            "first tick after it": f"{first_tick * 1000:.0f} ms",
            "tick, 10 new": f"{tick * 1000:.0f} ms",
            "/ plain tick": f"{tick / plain_tick:.1f}",
            "view / tick": f"{view / tick:.0f}",
            "nothing new": f"{skipped * 1000:.1f} ms",
            "view / nothing": f"{view / skipped:.0f}",
        }
