"""The lake: how fast rows get there, what thirty cells wait for each other, and what a question across cells takes."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.measure import FOLDER, connect, console, fresh_database, seconds, variables
from benchmarks.million import COMMAND, worker
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import store
from convo_pipelines.lake.tables import LAKE_TABLES
from convo_pipelines_tests.clusters import ray_cluster
from convo_pipelines_tests.processes import wait_until

ROWS, DAYS = 2_000_000, 900
CELLS, TICKS, ROWS_OF_CELL = 30, 3, 1_000
ENGINE_CELLS, ENGINE_DAYS, CLIENTS = 10, 60, 100
WORKERS = 2
TENTH = 10
START = date(2026, 1, 1)
PEERS = FOLDER.parent / ".venv-peers" / "bin" / "python"
SUMMARIES = next(table for table in LAKE_TABLES if table.name == "conversation_summaries")

TURNS = """
import sys, time
from pathlib import Path
import psycopg
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import refresh
from convo_pipelines.lake.tables import LAKE_TABLES
table = next(table for table in LAKE_TABLES if table.name == "conversation_summaries")
warehouse, folder = Warehouse(), Path(sys.argv[1])
refresh.tick(warehouse, table)
(folder / sys.argv[2]).touch()
while not (folder / "go").exists():
    time.sleep(0.01)
with psycopg.connect(warehouse.url, autocommit=True) as connection:
    for _ in range(int(sys.argv[3])):
        connection.execute("update analytics.conversation_summaries set message_count = message_count + 1 "
                           "where started_at < '2024-01-02'")
        started = time.perf_counter()
        refresh.tick(warehouse, table)
        print(time.perf_counter() - started)
"""
IN_DUCKDB = """
import json, sys, time
import duckdb
files = json.load(sys.stdin)
started = time.perf_counter()
found = duckdb.sql('''
    select cell, client_id, strftime(day, '%Y-%m'), count(*), quantile_cont(first_response_seconds, [0.5, 0.9])
    from read_parquet($files) where first_response_seconds is not null group by all order by all
''', params={"files": files}).fetchall()
print(time.perf_counter() - started, sum(row[3] for row in found))
"""
IN_DAFT = """
import time, warnings
warnings.filterwarnings("ignore")
from convo_pipelines.lake import Query, queries
started = time.perf_counter()
answer = queries.answer(Query.first_responses, queries.Days()).to_pandas()
print(time.perf_counter() - started, answer["answered"].sum())
"""
IN_POSTGRESQL = """
select
    client_id, to_char(started_at, 'YYYY-MM'), count(*),
    percentile_cont(array[0.5, 0.9]) within group (order by first_response_seconds)
from analytics.conversation_summaries
where first_response_seconds is not null
group by 1, 2
"""

Row = dict[str, str]


def measure(size: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Return what writing takes, what cells wait for each other, and what a query of so many summaries takes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        written = writing(Path(folder))
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        waited = turns(Path(folder))
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        answered = [*answers(Path(folder), size)]
    return written, waited, answered


def fill(url: str, rows: int, days: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((FOLDER / "lake_rows.sql").read_text().format(rows=rows, days=days))


@contextmanager
def lake_at(folder: Path, url: str) -> Iterator[dict[str, str]]:
    """Have the lake in a folder, with its catalog in a database; yield the variables of processes that use it."""
    values = {"LAKE_URI": f"file://{folder}", "LAKE_CATALOG_URL": url, "CONVO_DATABASE_URL": url}
    with variables(**values):
        store.catalog.cache_clear()
        yield values
    store.catalog.cache_clear()


def writing(folder: Path) -> list[Row]:
    with fresh_database() as url, lake_at(folder, url) as values, connect(url) as connection:
        fill(url, ROWS, DAYS)
        os.environ.update(values)
        first = worker(url, f"{ROWS:,} summaries of {DAYS} days, at first", COMMAND, "lake", "write")
        connection.execute(
            "update analytics.conversation_summaries set message_count = 11 where started_at < '2024-01-02'"
        )
        day = worker(url, "one day of them again", COMMAND, "lake", "write")
        compared = worker(url, "all days compared", COMMAND, "lake", "write", "--repair")
    rate = ROWS / float(first["time"].split()[0])
    rows = [{name: row[name] for name in ("work", "time", "peak memory")} for row in (first, day, compared)]
    return [row | {"rows a second": f"{rate:,.0f}" if row is rows[0] else ""} for row in rows]


def turns(folder: Path) -> list[Row]:
    """Let each of several cells write one day, again and again, into the same table at the same time."""
    rows = list[Row]()
    for cells in (1, CELLS):
        shutil.rmtree(folder)
        folder.mkdir()
        with fresh_database(max_connections="500") as url:
            fill(url, ROWS_OF_CELL, 10)
            times = sorted(_turns(folder, url, cells))
            rows.append(
                {
                    "cells that write at once": f"{cells}",
                    "ticks": f"{len(times)}",
                    "p50": f"{np.percentile(times, 50):.2f} s",
                    "longest": f"{times[-1]:.2f} s",
                }
            )
            console.print(rows[-1])
    return rows


def _turns(folder: Path, url: str, cells: int) -> Iterator[float]:
    with psycopg.connect(url, autocommit=True, dbname="template1") as connection:
        databases = [f"cell_{number}" for number in range(cells)]
        template = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        for name in databases:
            connection.execute(f"create database {name} template {template}")
    address = url.replace(f"/{template}?", "/{}?")
    values = os.environ | {"LAKE_URI": f"file://{folder}/lake", "LAKE_CATALOG_URL": address.format("cell_0")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TURNS, str(folder), name, str(TICKS)],
            env=values | {"CONVO_CELL": name, "CONVO_DATABASE_URL": address.format(name)},
            stdout=subprocess.PIPE,
        )
        for name in databases
    ]
    ready = lambda: all((folder / name).exists() for name in databases)  # noqa: E731
    wait_until(lambda: ready() or any(process.poll() for process in processes), 600)
    (folder / "go").touch()
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        yield from map(float, output.split())


def answers(folder: Path, size: int) -> Iterator[Row]:
    """Ask for the percentiles of first answers, of generated summaries."""
    with fresh_database() as url, lake_at(folder / "lake", url) as values:
        wrote = seconds(lambda: generate(url, size))
        console.print(f"{size:,} rows generated in {wrote:.0f} s")
        files = [
            task.file.file_path.removeprefix("file://") for task in store.required(SUMMARIES.name).scan().plan_files()
        ]
        yield _answer(
            f"DuckDB, one process, {size:,} rows", size, lambda: _run([str(PEERS), "-c", IN_DUCKDB], json.dumps(files))
        )
        local = os.environ | values
        yield _answer(
            f"Daft, one process, {size:,} rows", size, lambda: _run([sys.executable, "-c", IN_DAFT], env=local)
        )
        with ray_cluster(WORKERS, **values) as cluster:
            spread = local | {"DAFT_RUNNER": "ray", "RAY_ADDRESS": cluster.address}
            name = f"Daft on Ray, {WORKERS} workers of a core, {size:,} rows"
            yield _answer(name, size, lambda: _run([sys.executable, "-c", IN_DAFT], env=spread))
        fill(url, size // TENTH, ENGINE_DAYS)
        yield _answer(f"PostgreSQL, {size // TENTH:,} rows", size // TENTH, lambda: _in_postgresql(url))


def _run(command: list[str], text: str = "", env: dict[str, str] | None = None) -> tuple[float, int]:
    done = subprocess.run(command, input=text, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    took, answered = done.stdout.split()[-2:]
    return float(took), int(answered)


def _in_postgresql(url: str) -> tuple[float, int]:
    with psycopg.connect(url) as connection:
        started = time.perf_counter()
        rows = connection.execute(IN_POSTGRESQL).fetchall()
        return time.perf_counter() - started, sum(row[2] for row in rows)


def _answer(name: str, size: int, ask: Callable[[], tuple[float, int]]) -> Row:
    took, answered = ask()
    row = {"by": name, "time": f"{took:.1f} s", "rows a second": f"{size / took:,.0f}", "answered": f"{answered:,}"}
    console.print(row)
    return row


def generate(url: str, size: int) -> None:
    """Write so many summaries of several cells into the lake, as ticks of these cells would."""
    with Warehouse(url).connection() as connection:
        columns = SUMMARIES.columns(connection)
    table = store.with_columns(SUMMARIES.name, columns)
    schema: Any = table.schema().as_arrow()
    rng = np.random.default_rng(1)
    rows = size // ENGINE_CELLS
    for cell in range(ENGINE_CELLS):
        days = np.sort(rng.integers(0, ENGINE_DAYS, rows)) + (START - date(1970, 1, 1)).days
        moments = days * 86_400_000_000 + rng.integers(0, 86_400_000_000, rows)
        first = pa.array(rng.exponential(900, rows).round(3), mask=rng.random(rows) < 0.2)
        numbers = pc.utf8_lpad(pa.array(np.arange(rows)).cast(pa.string()), 12, "0")
        values = {
            "cell": pa.repeat(f"c{cell}", rows),
            "day": pa.array(days.astype("int32")).cast(pa.date32()),
            "conversation_id": pc.binary_join_element_wise(f"0000000{cell}-0000-0000-0000", numbers, "-"),
            "source": pa.repeat("messages", rows),
            "channel": pa.repeat("email", rows),
            "client_id": pc.take(
                pa.array([f"client-{cell}-{n}" for n in range(CLIENTS)]), pa.array(rng.integers(0, CLIENTS, rows))
            ),
            "message_count": pa.array(rng.integers(1, 40, rows)),
            "started_at": pa.array(moments).cast(pa.timestamp("us", "UTC")),
            "first_response_seconds": first,
        }
        found = [values.get(field.name, pa.nulls(rows, field.type)) for field in schema]
        table.append(pa.table(found, names=schema.names).cast(schema))
