"""The tools, each as a project and the commands that its users' cron runs, and how long those take."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.capture import PGBENCH

FOLDER = Path(__file__).parent
PEERS = Path.cwd() / ".venv-peers" / "bin"
PSQL = (str(PGBENCH.with_name("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1")

APPLICATION_NAME = "benchmark"
REPEATS = 3

Command = tuple[str, ...]


@dataclass(frozen=True)
class Tool:
    """What is compared.

    Attributes:
        name: as tables show it.
        build: the command that makes everything from nothing.
        tick: the command that brings it up to date.
        project: the folder in which both run, below this one.
        summaries: schema and name of the table or view with the summaries.
        looks_up_sessions: whether it reads the rows of given sessions, for which the application has no index.

    """

    name: str
    build: Command
    tick: Command
    project: str = "."
    summaries: tuple[str, str] = ("peers", "summaries")
    looks_up_sessions: bool = True


OUR_TICK = (str(Path(sys.executable).with_name("convo-pipelines")), "tick")
DBT_RUN = (str(PEERS / "dbt"), "--no-version-check", "run")
SQLMESH = str(PEERS / "sqlmesh")
RECOMPUTE = (str(PEERS / "python"), "recompute.py")
SQLMESH_PLAN = (SQLMESH, "plan", "--auto-apply", "--no-prompts")
SQLMESH_RUN = (SQLMESH, "run", "--ignore-cron")

OURS = Tool(
    "convo_pipelines",
    OUR_TICK,
    OUR_TICK,
    summaries=("analytics", "conversation_summaries"),
    looks_up_sessions=False,
)
TOOLS = (
    OURS,
    Tool("dbt, delete+insert", DBT_RUN, DBT_RUN, "dbt"),
    Tool("SQLMesh, by unique key", SQLMESH_PLAN, SQLMESH_RUN, "sqlmesh/unique_key"),
    Tool("SQLMesh, by time range", SQLMESH_PLAN, SQLMESH_RUN, "sqlmesh/time_range", looks_up_sessions=False),
    Tool(
        "materialized view, concurrently",
        (*PSQL, "-f", "materialized_view.sql"),
        (*PSQL, "-f", "refresh_view.sql"),
        looks_up_sessions=False,
    ),
    Tool(
        "hourly script, on conflict",
        (*PSQL, "-f", "script_tables.sql", "-f", "script.sql"),
        (*PSQL, "-f", "script.sql"),
    ),
    Tool("triggers by hand", (*PSQL, "-f", "script_tables.sql", "-f", "triggers.sql"), (*PSQL, "-c", "select 1")),
    Tool("DuckDB, all rows by ADBC", (*RECOMPUTE, "duckdb"), (*RECOMPUTE, "duckdb"), looks_up_sessions=False),
    Tool("Polars, all rows by ADBC", (*RECOMPUTE, "polars"), (*RECOMPUTE, "polars"), looks_up_sessions=False),
)


@dataclass(frozen=True)
class Times:
    """Seconds of a command from its start to its end, and those in which the server worked on its statements."""

    process: float
    database: float


def connect(url: str) -> psycopg.Connection[tuple]:
    """Connect as the benchmark itself, whose connections may stay open while a tool is measured."""
    return psycopg.connect(url, application_name=APPLICATION_NAME)


class Runner:
    """Runs the commands of a tool on one database, in a copy of its project."""

    def __init__(self, tool: Tool, url: str, folder: Path):
        self.tool = tool
        self.connection = connect(url)
        self.connection.autocommit = True
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        self.project = folder / tool.project
        address = conninfo_to_dict(url)
        self.environment = os.environ | {
            "CONVO_DATABASE_URL": url,
            "PGHOST": str(address["host"]),
            "PGUSER": str(address["user"]),
            "PGDATABASE": str(address["dbname"]),
            "PGTZ": "UTC",
            "DO_NOT_TRACK": "1",
        }

    def run(self, command: Command) -> Times:
        """Run a command.

        Raises:
            RuntimeError: it failed; with what it printed.

        """
        before, started = self.database_seconds(), time.perf_counter()
        done = subprocess.run(command, cwd=self.project, env=self.environment, capture_output=True, text=True)
        process = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{self.tool.name}: {done.stdout}{done.stderr}")
        return Times(process, self.database_seconds() - before)

    def medians(self, prepare: Callable[[], object] = lambda: None) -> Times:
        """Tick a few times, each after some preparation."""
        all_times: list[Times] = []
        for _ in range(REPEATS):
            prepare()
            all_times.append(self.run(self.tool.tick))
        return Times(
            statistics.median(times.process for times in all_times),
            statistics.median(times.database for times in all_times),
        )

    def database_seconds(self) -> float:
        """Return for how long statements of ended sessions, and of this one, have run since the server started."""
        others = "select from pg_stat_activity where backend_type = 'client backend' and application_name <> %s"
        while self.connection.execute(others, [APPLICATION_NAME]).rowcount:
            time.sleep(0.01)
        self.connection.execute("select pg_stat_force_next_flush() from app.clients")
        query = "select active_time / 1000 from pg_stat_database where datname = current_database()"
        [seconds] = self.connection.execute(query).fetchone() or ()
        return seconds

    def wrong(self) -> dict[tuple[object, str], str]:
        """Return what is wrong with which sessions, by crew and session id."""
        query = sql.SQL((FOLDER / "wrong.sql").read_text()).format(summaries=sql.Identifier(*self.tool.summaries))
        return {(crew, session): what for crew, session, what in self.connection.execute(query)}

    def read(self) -> None:
        """Read the summaries as a chart of the last week does."""
        query = sql.SQL((FOLDER / "read.sql").read_text()).format(summaries=sql.Identifier(*self.tool.summaries))
        self.connection.execute(query)
