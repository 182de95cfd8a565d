"""The link tables at three sizes, against one plain statement per table, a batch loop, and the joins of before."""

import logging
import random
import statistics
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from benchmarks.measure import FOLDER, connect, console, fresh_database, median_seconds, run_file, seconds
from convo_pipelines.database.execution import Counts
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model.tables import DISCOVERY, LINK_SYNC, PARTICIPANT_RESOLUTIONS, TABLES

BATCH_CONVERSATIONS = 500
KEYS, KEYS_BEFORE = 1_000, 100
EVERYTHING = Window.of_days(date(2000, 1, 1), date(2100, 1, 1))
PAIR = (TABLES["people_conversations"], TABLES["clients_conversations"])
PROJECTS = (TABLES["project_conversations"], TABLES["project_link_inconsistencies"])
READS = {
    "people_of_conversation": "conversations",
    "clients_of_conversation": "conversations",
    "conversations_of_person": "people",
    "conversations_of_client": "clients",
    "days_of_client": "clients",
}

log = logging.getLogger("benchmark")

Row = dict[str, str]


def measure(conversations: int) -> tuple[Row, list[Row]]:
    with fresh_database() as url:
        benchmark = Benchmark(url, conversations)
        build = benchmark.builds()
        console.print(build)
        reads = benchmark.reads()
        benchmark.close()
    return build, reads


class Benchmark:
    """One size: a server, its conversations, and what is measured on it."""

    def __init__(self, url: str, conversations: int):
        self.conversations = conversations
        self.connection = connect(url)
        self.warehouse = Warehouse(url)
        self.engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        run_file(self.connection, "conversations", conversations=conversations)
        self.connection.execute("vacuum analyze")

    def close(self) -> None:
        self.warehouse.close()
        self.engine.dispose()
        self.connection.close()

    def tick(self, tables: Sequence[DerivedTable] = LINK_SYNC) -> None:
        """Do what a tick's run does in the database; the first one builds."""
        for table in tables:
            outcome, _ = ticks.tick(self.warehouse, table, log)
            assert not outcome.is_skipped, table.name

    def news(self) -> bool:
        return ticks.have_news(self.warehouse, LINK_SYNC)

    def hundred_changes(self) -> None:
        run_file(self.connection, "hundred_changes")

    def batch_loop(self) -> None:
        """As applications do it: a batch is read, de-duplicated here, and written by one upsert per table."""
        recipients = sa.text(_text("batch_recipients"))
        with self.engine.connect() as connection:
            ids = [id_ for (id_,) in connection.execute(sa.text("select id from app.conversations order by id"))]
            connection.commit()
            for first in range(0, len(ids), BATCH_CONVERSATIONS):
                batch = ids[first : first + BATCH_CONVERSATIONS]
                rows = connection.execute(recipients, {"conversations": batch}).all()
                for table, key in (("people_conversations", "person_id"), ("clients_conversations", "client_id")):
                    pairs = {(row.conversation_id, getattr(row, key)) for row in rows}
                    connection.execute(self.upsert(table, key, pairs))
                connection.commit()

    def upsert(self, table: str, key: str, pairs: set[tuple[object, object]]) -> Insert:
        target = sa.table(table, sa.column(key), sa.column("conversation_id"), sa.column("updated_at"), schema="plain")
        query = insert(target).values([{"conversation_id": talk, key: other} for talk, other in pairs])
        return query.on_conflict_do_update(
            index_elements=[key, "conversation_id"], set_={"updated_at": query.excluded.updated_at}
        )

    def builds(self) -> Row:
        run_file(self.connection, "plain_link_tables")
        plain = seconds(lambda: run_file(self.connection, "plain_links"))
        run_file(self.connection, "plain_link_tables")
        loop = seconds(self.batch_loop)
        resolve = seconds(lambda: self.tick([PARTICIPANT_RESOLUTIONS]))
        build = seconds(lambda: self.tick(PAIR))
        self.tick(PROJECTS)
        first_tick = seconds(self.tick)
        self.connection.execute("vacuum analyze")
        unchanged = median_seconds(self.nothing_changes)
        tick = median_seconds(self.tick, self.hundred_changes)
        skipped = median_seconds(self.news)
        assert not self.news()
        return {
            "conversations": f"{self.conversations:,}",
            "participants": f"{resolve:.2f} s",
            "links from empty": f"{build:.2f} s",
            "/ plain": f"{build / plain:.2f}",
            "batch loop / links": f"{loop / build:.1f}",
            "first tick after it": f"{first_tick * 1000:.0f} ms",
            "again, 0 rows written": f"{unchanged:.2f} s",
            "tick, 100 changed": f"{tick * 1000:.0f} ms",
            "plain / tick": f"{plain / tick:.0f}",
            "nothing new": f"{skipped * 1000:.1f} ms",
        }

    def nothing_changes(self) -> None:
        outcomes = [ticks.backfill(self.warehouse, table, EVERYTHING, log)[0] for table in PAIR]
        counts = sum((outcome.counts for outcome in outcomes), Counts())
        assert counts.total == counts.unchanged > 0, counts

    def reads(self) -> list[Row]:
        self.tick(DISCOVERY)
        self.connection.execute("vacuum analyze")
        return [self.read(name, table) for name, table in READS.items()]

    def read(self, name: str, table: str) -> Row:
        rng = random.Random(1)
        ids = [row[0] for row in self.connection.execute(f"select id from app.{table} order by id")]
        now = self.times(name, rng.choices(ids, k=KEYS))
        before = self.times(f"{name}_before", rng.choices(ids, k=KEYS_BEFORE))
        plan = "\n".join(r[0] for r in self.connection.execute("explain " + _text(f"reads/{name}"), {"key": ids[0]}))
        assert " Index " in plan or "Index Only" in plan, plan
        return {
            "read": name,
            "p50": f"{statistics.median(now) * 1000:.2f} ms",
            "p99": f"{_p99(now) * 1000:.2f} ms",
            "p99 before": f"{_p99(before) * 1000:.1f} ms",
            "before / now": f"{_p99(before) / _p99(now):.0f}",
            "index": plan.split("using ")[-1].split()[0] if "using " in plan else plan.split(" on ")[-1].split()[0],
        }

    def times(self, name: str, keys: list[object]) -> list[float]:
        query = _text(f"reads/{name}")
        return [seconds(lambda key=key: self.connection.execute(query, {"key": key}).fetchall()) for key in keys]


def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]
