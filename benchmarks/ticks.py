"""What a tick costs beside the statements that do its work: by arrays, and by temporary tables, as before."""

from collections.abc import Callable

from benchmarks.discovery import TICKS, Benchmark, log
from benchmarks.measure import fresh_database, median_seconds, run_file
from convo_pipelines.engine import chunks, ticks
from convo_pipelines.model.tables import CREW_CONVERSATIONS, DERIVED_TABLES, HISTORIES_SESSIONS, TABLES

SESSIONS = 10_000
THREE = (HISTORIES_SESSIONS, CREW_CONVERSATIONS, TABLES["conversation_summaries"])
FEW_KEYS = chunks.FEW_KEYS

Row = dict[str, str]


def measure() -> list[Row]:
    """Return a row for each kind of tick: with ten new sessions in ten crews, and with nothing new."""
    with fresh_database() as url:
        benchmark = Benchmark(url, SESSIONS)
        benchmark.load()
        warehouse = benchmark.warehouse

        def all_tables() -> None:
            ticks.tick_all(warehouse, DERIVED_TABLES, log)

        def three_tables() -> None:
            ticks.tick_all(warehouse, THREE, log)

        def seconds(work: Callable[[], None], *, few: bool, has_news: bool) -> float:
            chunks.FEW_KEYS = FEW_KEYS if few else -1
            prepare = benchmark.ten_new_sessions if has_news else lambda: None
            all_tables()
            all_tables()
            found = median_seconds(work, prepare, TICKS)
            all_tables()
            return found

        all_tables()
        run_file(benchmark.connection, "plain_tables")
        run_file(benchmark.connection, "plain_build")
        benchmark.connection.execute("vacuum analyze")
        plain = median_seconds(benchmark.plain_tick, benchmark.ten_new_sessions, TICKS)
        kinds = {
            "three tables, ten new sessions": (three_tables, True),
            "all eleven, ten new sessions": (all_tables, True),
            "all eleven, nothing new": (all_tables, False),
        }
        assert len(DERIVED_TABLES) == 11
        rows = [
            {"tick": "plain statements, three tables", "arrays": _ms(plain), "temporary tables": "", "/ plain": "1"}
        ]
        for kind, (work, has_news) in kinds.items():
            new, old = (seconds(work, few=few, has_news=has_news) for few in (True, False))
            rows.append(
                {"tick": kind, "arrays": _ms(new), "temporary tables": _ms(old), "/ plain": f"{new / plain:.1f}"}
            )
        benchmark.close()
    return rows


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
