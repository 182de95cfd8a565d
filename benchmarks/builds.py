"""First builds of all tables, with one worker and with all, against plain SQL that fills the same tables once."""

from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.discovery import Benchmark, log
from benchmarks.measure import FOLDER, console, fresh_database, median_seconds, run_file, seconds, variables
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.settings import settings

Row = dict[str, str]
Seconds = dict[str, float]


@dataclass(frozen=True)
class Run:
    """The seconds of one database: of each table, and of ticks of all tables; and the megabytes of each table."""

    plain: Seconds
    build: Seconds
    first_tick: float
    tick: float
    reconcile: Seconds
    megabytes: dict[str, float]

    @classmethod
    def median(cls, runs: list["Run"]) -> "Run":
        """Return the medians of all figures."""

        def of(dictionaries: list[Seconds]) -> Seconds:
            return {name: median(found[name] for found in dictionaries) for name in dictionaries[0]}

        return cls(
            of([run.plain for run in runs]),
            of([run.build for run in runs]),
            median(run.first_tick for run in runs),
            median(run.tick for run in runs),
            of([run.reconcile for run in runs]),
            of([run.megabytes for run in runs]),
        )


def measure(sessions: int) -> list[Row]:
    """Return a row per table, and one with the sums; medians of three, except for a million sessions."""
    runs = 3 if sessions < 1_000_000 else 1
    pairs = [(run(sessions, 1), run(sessions, settings().refresh_workers)) for _ in range(runs)]
    one, several = (Run.median([pair[which] for pair in pairs]) for which in (0, 1))
    rows = [row(table.name, one, several, [table.name]) for table in DERIVED_TABLES]
    total = row("all", one, several, list(one.build))
    total["first tick / tick"] = f"{several.first_tick * 1000:.0f} / {several.tick * 1000:.0f} ms"
    for line in (*rows, total):
        console.print(line)
    return [*rows, total]


def run(sessions: int, workers: int) -> Run:
    with fresh_database() as url, variables(REFRESH_WORKERS=str(workers)):
        benchmark = Benchmark(url, sessions)
        benchmark.load()
        plain = measure_plain(benchmark) if workers == 1 else {}
        benchmark.connection.execute("checkpoint")
        tick_all = partial(ticks.tick_all, benchmark.warehouse, DERIVED_TABLES, log)
        found = Run(
            plain,
            {table.name: seconds(partial(build, benchmark, table)) for table in DERIVED_TABLES},
            seconds(tick_all),
            median_seconds(tick_all, benchmark.ten_new_sessions),
            {table.name: seconds(partial(compare, benchmark, table)) for table in DERIVED_TABLES},
            {table.name: megabytes(benchmark, table) for table in DERIVED_TABLES},
        )
        benchmark.close()
    return found


def first_build(sessions: int) -> float:
    """Return how many seconds all workers take to build all tables."""
    with fresh_database() as url:
        benchmark = Benchmark(url, sessions)
        benchmark.load()
        benchmark.connection.execute("checkpoint")
        found = sum(seconds(partial(build, benchmark, table)) for table in DERIVED_TABLES)
        benchmark.close()
    return found


def row(name: str, one: Run, several: Run, tables: list[str]) -> Row:
    def total(found: Seconds) -> float:
        return sum(found.get(table, 0.0) for table in tables)

    plain = total(one.plain)
    return {
        "table": name,
        "plain": f"{plain:.1f} s" if plain else "",
        "one worker": f"{total(one.build):.1f} s",
        "/ plain": f"{total(one.build) / plain:.2f}" if plain else "",
        f"{settings().refresh_workers} workers": f"{total(several.build):.1f} s",
        "/ plain ": f"{total(several.build) / plain:.2f}" if plain else "",
        "reconcile": f"{total(several.reconcile):.1f} s",
        "size": f"{total(several.megabytes):,.0f} MB",
        "first tick / tick": "",
    }


def measure_plain(benchmark: Benchmark) -> Seconds:
    """Run each plain statement, and drop what it filled."""
    run_file(benchmark.connection, "plain_tables")
    run_file(benchmark.connection, "plain_rest_tables")
    found: Seconds = {}
    for file in ("plain_build", "plain_rest"):
        for statement in (FOLDER / f"{file}.sql").read_text().split(";\n"):
            if statement.strip():
                target = statement.partition("insert into plain.")[2].split()[0]
                name = "crew_conversations" if target == "conversations" else target
                found[name] = seconds(partial(benchmark.connection.execute, statement))
    benchmark.connection.execute("drop schema plain cascade")
    benchmark.connection.execute("vacuum analyze")
    return found


def megabytes(benchmark: Benchmark, table: DerivedTable) -> float:
    query = "select pg_total_relation_size(%s::regclass)"
    [size] = benchmark.connection.execute(query, [table.target]).fetchone() or (0,)
    return size / 2**20


def build(benchmark: Benchmark, table: DerivedTable) -> None:
    ticks.tick(benchmark.warehouse, table, log)


def compare(benchmark: Benchmark, table: DerivedTable) -> None:
    outcome, _ = ticks.compare(benchmark.warehouse, table, log)
    assert not outcome.drift.changed, table.name
