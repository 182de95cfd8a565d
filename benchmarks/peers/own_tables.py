"""`python -m benchmarks.peers.own_tables`: the five examples of tables of one's own, kept by us and by others.

docs/explanation/tables-elsewhere.md is made of what it finds.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np
from psycopg import sql

from benchmarks.freshness import running
from benchmarks.measure import FOLDER, console, fresh_database, variables
from benchmarks.own_tables import RATE, SETTLE_SECONDS, asked
from benchmarks.peers import selects
from benchmarks.peers.__main__ import versions
from benchmarks.peers.live import DELTAFLOW, OWN, Connection, copy_tables, deltaflow, pg_ivm
from benchmarks.peers.tools import DBT_RUN, OUR_TICK, PSQL, SQLMESH_PLAN, SQLMESH_RUN, Runner, Tool, connect
from benchmarks.results import save, table
from convo_pipelines.authoring.declaration import Declaration, read

EXAMPLES = FOLDER.parent / "examples"
TABLES = [read(file.parent.name, file.parent) for file in sorted((EXAMPLES / "tables").glob("*/rows.sql"))]
PARTS = [one for one in TABLES if one.name in ("crew_handovers", "tool_calls")]
"""What Deltaflow and pg_ivm can be brought to keep, at least in part."""
READ = (
    "app.clients", "app.conversations", "app.crews", "app.messages", "app.people", "app.reply_targets",
    "app.tool_messages", "analytics.histories_sessions",
)  # fmt: skip
ASK = """
insert into app.tool_messages (crew_id, message_id, session_id, tool, called_at)
select id, (random() * 1e18)::bigint, 'asked', gen_random_uuid()::text, now() from app.crews limit 1
returning tool
"""
SEEN = "select tool from {} where tool = any(%s)"

DBT_ANEW = (*DBT_RUN, "--full-refresh")
OURS = Tool("convo_pipelines", ("sh", "-c", f"{OUR_TICK[0]} table apply --yes && {OUR_TICK[0]} tick"), OUR_TICK)
VIEWS = Tool("materialized views, concurrently", (*PSQL, "-f", "create.sql"), (*PSQL, "-f", "refresh.sql"), "own")
TOOLS = (
    OURS,
    Tool("dbt, incremental", DBT_RUN, DBT_RUN, "own/dbt"),
    Tool("dbt, all rows anew", DBT_ANEW, DBT_ANEW, "own/dbt"),
    Tool("SQLMesh, incremental", SQLMESH_PLAN, SQLMESH_RUN, "own/sqlmesh"),
    VIEWS,
)

SPEED_NOTE = (
    "Each cell: the whole process, and in brackets the time in which the server worked on its statements; medians of "
    "three. convo_pipelines refreshes its eleven other tables in the same tick. “New rows” are those of the "
    "scenario of that name."
)
WRONG_NOTE = (
    "Rows that, after the next run, are not what the SELECT over all rows says, and were right before: by table. "
    "“Committed late” are rows of a transaction that began before a run and ended after it."
)
PARTS_NOTE = "crew_handovers and tool_calls. pg_ivm has one connection here, so nothing can commit late."
FRESH_NOTE = (
    f"Seconds from the commit of a row of app.tool_messages until tool_calls shows it, at {RATE} commits a second for "
    "a minute."
)

Row = dict[str, str]
Wrong = set[tuple[str, str]]


def blocks(file: Path) -> dict[str, str]:
    """Return the blocks of a file by their names."""
    found = (block.partition("\n") for block in file.read_text().split("-- name: ")[1:])
    return {name: text for name, _, text in found}


SCENARIOS = blocks(OWN / "scenarios.sql")


@click.command()
@click.option("--conversations", type=click.IntRange(200), default=20_000, show_default=True)
def main(conversations: int) -> None:
    """Measure, keep the results, and make the pages anew."""
    with fresh_database(wal_level="logical") as url, tempfile.TemporaryDirectory() as folder:
        server = Server(url, conversations, Path(folder))
        wrong, speed = zip(*(server.measure(tool) for tool in TOOLS), strict=True)
        by_deltaflow, deltaflow_fresh = server.by_deltaflow()
        by_pg_ivm, fresh = server.by_pg_ivm(), [server.by_follower(), deltaflow_fresh]
        with opened(url) as source, opened(server.create("selects", "template0")) as target:
            kept, each = selects.measure(source, target)
    tables = [
        table("What is wrong after a run", wrong, WRONG_NOTE),
        table("What is wrong of the two that others keep in part", [by_deltaflow, by_pg_ivm], PARTS_NOTE),
        table(f"Seconds of a run, {conversations:,} conversations of six messages", speed, SPEED_NOTE),
        table("Fresh after", fresh, FRESH_NOTE),
        table("SELECTs that are kept", kept),
        table("What becomes of each SELECT", each),
    ]
    save("own_tables_peers", *tables, **versions(), **other_versions())


class Server:
    """A server whose database `postgres` has the sample data; the others are copies of it."""

    def __init__(self, url: str, conversations: int, folder: Path):
        self.url, self.folder = url, folder
        load(url, conversations)

    def create(self, name: str, template: str = "postgres") -> str:
        """Copy a database; return its URL."""
        query = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        with opened(self.url.replace("/postgres?", "/template1?")) as connection:
            connection.execute(query)
        return self.url.replace("/postgres?", f"/{name}?")

    def measure(self, tool: Tool) -> tuple[Row, Row]:
        """Return what a tool has wrong, and its seconds."""
        url = self.create(re.sub(r"\W+", "_", tool.name.lower()))
        runner = Runner(tool, url, self.folder / tool.name)
        schema = "analytics" if tool is OURS else "peers"
        if tool is OURS:
            runner.environment["CONVO_TABLES"] = tables_in(self.folder / tool.name)
        if tool is VIEWS:
            write_views(runner.project)
        refresh_sources = (lambda: None) if tool is OURS else partial(tick, url)

        def happen() -> None:
            runner.connection.execute(SCENARIOS["new"].encode())
            refresh_sources()

        def refresh() -> None:
            refresh_sources()
            runner.run(tool.tick)

        build = runner.run(tool.build)
        wrong = {"tool": tool.name, **follow(runner.connection, refresh, TABLES, schema)}
        runner.connection.execute("vacuum analyze")
        news, idle = runner.medians(happen), runner.medians()
        runner.connection.close()
        seconds = {"first build": build, "new rows": news, "nothing new": idle}
        speed = {
            "tool": tool.name,
            **{name: f"{took.process:.1f} s ({took.database:.2f} s)" for name, took in seconds.items()},
        }
        console.print(wrong, speed)
        return wrong, speed

    def by_deltaflow(self) -> tuple[Row, Row]:
        """Return what Deltaflow has wrong, and how fresh it is."""
        with opened(self.create("deltaflow")) as connection:
            connection.execute((OWN / "deltaflow" / "setup.sql").read_bytes())
            with deltaflow(connection, "own_tables", OWN / "deltaflow" / "views.sql") as wait:
                connection.execute((OWN / "deltaflow" / "reads.sql").read_bytes())
                wrong = {"tool": "Deltaflow", **follow(connection, wait, PARTS, "peers")}
                seconds = asked(connection.info.dsn, ASK, SEEN.format("peers.tool_calls"))
        return wrong, percentiles("Deltaflow", seconds)

    def by_pg_ivm(self) -> Row:
        """Return what pg_ivm has wrong."""
        with opened(self.create("pg_ivm")) as source, pg_ivm() as connection:
            connection.execute("create schema app; create schema analytics")
            copy_tables(source, connection, READ, with_rows=True)
            connection.execute((OWN / "pg_ivm" / "views.sql").read_bytes())
            connection.execute((OWN / "pg_ivm" / "reads.sql").read_bytes())
            return {"tool": "pg_ivm", **follow(connection, lambda: None, PARTS, "peers", is_alone=True)}

    def by_follower(self) -> Row:
        """Return how fresh a table is under `serve follow`."""
        url, folder = self.create("followed"), self.folder / "followed"
        with variables(CONVO_TABLES=tables_in(folder), CONVO_DATABASE_URL=url):
            subprocess.run(OURS.build, check=True, capture_output=True)
            with running("convo-pipelines serve follow", url):
                time.sleep(SETTLE_SECONDS)
                return percentiles(f"{OURS.name}, followed", asked(url, ASK, SEEN.format("analytics.tool_calls")))


def load(url: str, conversations: int) -> None:
    """Fill a database, and let convo_pipelines derive its tables."""
    sizes = {"conversations": 1, "sessions": 0.5, "people": 0.15}
    options = [f"--{name}={int(conversations * share)}" for name, share in sizes.items()]
    with variables(CONVO_DATABASE_URL=url), opened(url) as connection:
        subprocess.run([OUR_TICK[0], "data", "sample", *options], check=True, capture_output=True)
        tick(url)
        connection.execute((OWN / "load.sql").read_bytes())
        connection.execute((EXAMPLES / "setup.sql").read_bytes())
        tick(url)
        connection.execute("vacuum analyze")


def tick(url: str) -> None:
    """Let convo_pipelines refresh what it derives, which is a source of the tables that others keep."""
    with variables(CONVO_DATABASE_URL=url):
        subprocess.run(OUR_TICK, check=True, capture_output=True)


def opened(url: str) -> Connection:
    """Connect with a commit after each statement; the connection is closed at the end of its context."""
    connection = connect(url)
    connection.autocommit = True
    return connection


def tables_in(folder: Path) -> str:
    """Copy the examples; return CONVO_TABLES."""
    return str(shutil.copytree(EXAMPLES / "tables", folder / "tables", ignore=shutil.ignore_patterns("generated")))


def write_views(folder: Path) -> None:
    """Write the examples as materialized views, and what refreshes them."""
    creates = [
        f"create materialized view peers.{one.name} as {one.query};\n"
        f"create unique index on peers.{one.name} ({', '.join(one.key)});\n"
        for one in TABLES
    ]
    refreshes = [f"refresh materialized view concurrently peers.{one.name};\n" for one in TABLES]
    (folder / "create.sql").write_text("create schema peers;\n" + "".join(creates))
    (folder / "refresh.sql").write_text("".join(refreshes))


def follow(
    connection: Connection,
    refresh: Callable[[], object],
    tables: Sequence[Declaration],
    schema: str,
    *,
    is_alone: bool = False,
) -> Row:
    """Let everything happen, each followed by a refresh; return the rows that it made wrong, by table."""
    row: Row = {}
    before = wrong(connection, tables, schema)
    assert not before, before

    def note(scenario: str) -> None:
        nonlocal before
        refresh()
        after = wrong(connection, tables, schema)
        counts = Counter(name for name, _ in after - before)
        row[scenario] = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or "0"
        before = after

    for name, statements in SCENARIOS.items():
        connection.execute(statements.encode())
        note(name)
    if not is_alone:
        with opened(connection.info.dsn) as late:
            with late.transaction():
                late.execute(SCENARIOS["new"].encode())
                connection.execute(SCENARIOS["new"].encode())
                refresh()
            note("committed late")
    return row


def wrong(connection: Connection, tables: Sequence[Declaration], schema: str) -> Wrong:
    """Return the rows that are not what their SELECT says, by table and key."""
    query = sql.SQL((OWN / "wrong.sql").read_text())
    found: Wrong = set()
    for one in tables:
        columns = [column.name for column in connection.execute(f"{one.query} limit 0".encode()).description or ()]
        parts = query.format(
            select=sql.SQL(one.query),
            table=sql.Identifier(schema, one.name),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            key=sql.SQL(", ").join(map(sql.Identifier, one.key)),
        )
        found |= {(one.name, key) for [key] in connection.execute(parts)}
    return found


def percentiles(tool: str, seconds: Sequence[float]) -> Row:
    p50, p99, longest = np.percentile(seconds, [50, 99, 100])
    return {"tool": tool, "p50": f"{p50:.2f} s", "p99": f"{p99:.2f} s", "longest": f"{longest:.2f} s"}


def other_versions() -> dict[str, str]:
    """Return the versions of Deltaflow and of what pg_ivm runs in."""
    said = subprocess.run([DELTAFLOW, "--version"], check=True, capture_output=True, text=True).stdout
    with pg_ivm() as connection:
        query = "select extversion from pg_extension where extname = 'pg_ivm'"
        [[version]] = connection.execute(query).fetchall()
    packages = json.loads((OWN / "pg_ivm" / "package.json").read_text())["dependencies"]
    return {"Deltaflow": said.split()[-1], "pg_ivm": version, "PGlite": packages["@electric-sql/pglite"]}


if __name__ == "__main__":
    main()
