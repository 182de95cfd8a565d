"""`make bench-peers`: what else keeps a summary of histories, side by side with ours.

All keep the same summary of the same histories, each on a server of its own; times are medians of three.
"""

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import click
from psycopg import sql

from benchmarks.discovery import CREWS, Benchmark, log
from benchmarks.measure import console, fresh_database, median_seconds, run_file, seconds
from benchmarks.peers import scenarios
from benchmarks.peers.scenarios import OLD_DAYS, Histories
from benchmarks.peers.tools import FOLDER, OURS, PEERS, TOOLS, Runner, Tool
from benchmarks.results import save, table
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import CREW_CONVERSATIONS, HISTORIES_SESSIONS, TABLES

PINNED = ("dbt-core", "dbt-postgres", "sqlmesh", "duckdb", "polars")

Row = dict[str, str]

SPEED_NOTE = (
    "Each cell: the whole process, and in brackets the time in which the server worked on its statements, summed over "
    "its connections. "
    f"A tick with news finds {CREWS} new sessions, one of each crew. In it convo_pipelines refreshes all of its eleven "
    "tables, links included. “In a running process” are the six tables of conversation discovery, as a worker of "
    "Dagster runs them, and what its schedule asks before it starts one. “Last week” reads the summaries of seven "
    f"days. “{CREWS} inserts” is what the application waits for when it inserts those sessions, a statement for each."
)
WRONG_NOTE = (
    f"Sessions whose summary, after one tick, is not what a full computation from all rows says. Each scenario affects "
    f"{CREWS} sessions ({CREWS * 2} are changed: a message's type, or all times by an hour). “Committed late” are rows "
    "of a transaction that began before a tick and ended after it. Nothing that is deleted is older than "
    f"{OLD_DAYS} days, so nothing becomes archive, which convo_pipelines keeps on purpose (ARCHIVE_AFTER_DAYS, 7)."
)


@click.command()
@click.option("--sessions", type=click.IntRange(10_000), multiple=True, default=(10_000, 100_000), show_default=True)
def main(sessions: tuple[int, ...]) -> None:
    """Measure every size, count what is wrong at the first, and make docs/reference/benchmarks.md anew."""
    tables: list[dict[str, object]] = []
    wrong: list[Row] = []
    for size in sessions:
        speed: list[Row] = []
        for tool in TOOLS:
            speed += measure(tool, size, wrong if size == sessions[0] else None)
        tables.append(table(f"{size:,} sessions of 10 messages, {CREWS} crews", speed, SPEED_NOTE))
    tables.append(table("What is wrong after one tick", wrong, WRONG_NOTE))
    save("peers", *tables, **versions())


def measure(tool: Tool, sessions: int, wrong: list[Row] | None) -> list[Row]:
    """Return a tool's times, and add what it has wrong to `wrong`, if given."""
    with fresh_database() as url, tempfile.TemporaryDirectory() as folder:
        load(tool, url, sessions)
        runner = Runner(tool, url, Path(folder))
        histories = Histories(runner.connection, sessions)
        build = runner.run(tool.build)
        histories.add()
        runner.run(tool.tick)
        runner.connection.execute("vacuum analyze")
        tick = runner.medians(histories.add)
        idle = runner.medians()
        read, write = median_seconds(runner.read), median_seconds(histories.add)
        runner.run(tool.tick)
        rows = [
            {
                "tool": tool.name,
                "full build": f"{build.process:.1f} s ({build.database:.1f} s)",
                f"tick, {CREWS} new": f"{tick.process:.2f} s ({tick.database * 1000:,.0f} ms)",
                "tick, nothing new": f"{idle.process:.2f} s ({idle.database * 1000:,.0f} ms)",
                "last week": f"{read * 1000:.0f} ms",
                f"{CREWS} inserts": f"{write * 1000:.0f} ms",
            }
        ]
        if wrong is not None:
            wrong.append(scenarios.measure(runner, histories))
        if tool is OURS:
            rows += [in_process(url, sessions, histories), summaries_alone(sessions)]
        runner.connection.close()
    console.print(*rows, *(wrong or [])[-1:])
    return rows


def load(tool: Tool, url: str, sessions: int) -> None:
    """Fill the histories, and index them for a tool that looks sessions up."""
    benchmark = Benchmark(url, sessions)
    benchmark.load()
    run_file(benchmark.connection, "plain_tables")
    if tool.looks_up_sessions:
        for crew in range(CREWS):
            query = sql.SQL((FOLDER / "index.sql").read_text())
            benchmark.connection.execute(query.format(table=sql.Identifier("app", f"histories_{crew}")))
    benchmark.close()


def in_process(url: str, sessions: int, histories: Histories) -> Row:
    """Return the times of our ticks without the start of a process."""
    benchmark = Benchmark(url, sessions)
    benchmark.tick()
    tick = median_seconds(benchmark.tick, histories.add)
    idle = median_seconds(benchmark.news)
    assert not benchmark.news()
    benchmark.close()
    return {
        "tool": f"{OURS.name}, in a running process",
        "full build": "",
        f"tick, {CREWS} new": f"{tick:.2f} s",
        "tick, nothing new": f"{idle * 1000:.0f} ms",
        "last week": "",
        f"{CREWS} inserts": "",
    }


def summaries_alone(sessions: int) -> Row:
    """Return the time of a build of our summaries and of what they are made of: session-days and conversations."""
    with fresh_database() as url:
        benchmark = Benchmark(url, sessions)
        benchmark.load()
        tables = (HISTORIES_SESSIONS, CREW_CONVERSATIONS, TABLES["conversation_summaries"])
        build = sum(seconds(partial(ticks.tick, benchmark.warehouse, table, log)) for table in tables)
        benchmark.close()
    return {
        "tool": f"{OURS.name}, three tables",
        "full build": f"{build:.1f} s",
        f"tick, {CREWS} new": "",
        "tick, nothing new": "",
        "last week": "",
        f"{CREWS} inserts": "",
    }


def versions() -> dict[str, str]:
    """Return the versions of the tools."""
    listed = subprocess.run(
        [PEERS / "python", "-m", "pip", "list", "--format", "json"], check=True, capture_output=True, text=True
    )
    found = {package["name"]: package["version"] for package in json.loads(listed.stdout)}
    return {name: found[name] for name in PINNED}


if __name__ == "__main__":
    main()
