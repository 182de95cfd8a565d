"""The SELECTs of `convo_pipelines_tests`, kept by Deltaflow and by pg_ivm while everything that they read changes."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.peers.live import Connection, RefusedError, copy_tables, deltaflow, pg_ivm
from convo_pipelines.authoring import declaration
from convo_pipelines_tests.database import test_own_selects as tests

CHANGES, CHANGES_A_LOOK = 400, 10
SECONDS_TO_END = 2
"""After an error that leaves a view behind."""
KINDS = ("insert", "update", "delete", "renew")
COPIED = (
    "app.clients", "app.crews", "app.people", "app.contact_methods", "app.conversations", "app.messages",
    "app.message_recipients", "analytics.people_conversations", "analytics.histories_sessions",
    "analytics.conversation_summaries",
)  # fmt: skip
REPLY_SLA = "create table analytics.reply_sla (conversation_id uuid primary key, client_id uuid, is_in_time bool)"
DERIVED = {
    "analytics.people_conversations": {"person_id": tests.ids(4), "conversation_id": tests.ids(5)},
    "analytics.histories_sessions": {
        "crew_id": tests.ids(2), "session_id": tests.values("s1", "s2"), "message_count": tests.values(1, 2, 3),
        "activity_date": tests.values(date(2026, 3, 10), date(2026, 3, 11)),
    },
    "analytics.conversation_summaries": {
        "conversation_id": tests.ids(5), "client_id": tests.ids(3, may_be_null=True), "started_at": tests.times,
        "channel": tests.values("email", "chat"), "message_count": tests.values(1, 2, 3),
        "first_response_seconds": tests.values(None, 1, 60),
    },
    "analytics.reply_sla": {"conversation_id": tests.ids(5), "client_id": tests.ids(3), "is_in_time": bool},
}  # fmt: skip
"""Tables that convo_pipelines derives, and that are like any other here."""

Row = dict[str, str]


def measure(source: Connection, target: Connection) -> tuple[list[Row], list[Row]]:
    """Return how many SELECTs each keeps, and what becomes of each."""
    tests.COLUMNS.update(DERIVED)
    del tests.COLUMNS["app.histories_a"]  # what convo_pipelines derives analytics.histories_sessions from
    prepare(source, target)
    with pg_ivm() as inside:
        prepare(source, inside)
        rows = [
            {
                "SELECT": name,
                "convo_pipelines": "refused" if name in tests.REASONS else "right",
                "Deltaflow": outcome(name, target, by_deltaflow),
                "pg_ivm": outcome(name, inside, by_pg_ivm),
            }
            for name in tests.SELECTS
        ]
    return [counted(tool, rows) for tool in list(rows[0])[1:]], rows


def prepare(source: Connection, target: Connection) -> None:
    """Create the tables that the SELECTs read, as plain tables."""
    target.execute("create schema app; create schema analytics; create schema parts")
    copy_tables(source, target, COPIED, with_rows=False)
    target.execute(tests.SCHEMA)
    target.execute(REPLY_SLA)


Keep = Callable[[str, str, Connection], Any]
"""Keeps a SELECT by a name as long as its context lasts; gives what waits for the view, and raises what went wrong."""


def outcome(name: str, connection: Connection, keep: Keep) -> str:
    """Return what becomes of a SELECT: refused or stopped, and why; wrong, or right."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.sql").write_text(tests.SELECTS[name])
        one = declaration.read(name, Path(folder))
    chosen = random.Random(1)
    world = SimpleNamespace(connection=connection)
    for table in tests.COLUMNS:
        connection.execute(sql.SQL("truncate {} cascade").format(sql.Identifier(*table.split("."))))
    tests.fill(world)
    looks = 0
    try:
        with keep(name, one.query, connection) as wait:
            for number in range(CHANGES):
                change(world, chosen)
                if number % CHANGES_A_LOOK == 0:
                    wait()
                    looks += 1
                    if different(connection, one):
                        time.sleep(SECONDS_TO_END)
                        wait()
                        return f"wrong after {number + 1} changes"
    except RefusedError as error:
        return f"{'stopped' if looks else 'refused'}: {error}"
    return "right"


def change(world: Any, chosen: random.Random) -> None:
    """Change a row of a table; what a constraint forbids does not happen.

    Raises:
        RefusedError: the change failed because of the view.

    """
    table = chosen.choice(list(tests.COLUMNS))
    try:
        tests.change(world, chosen.choice(KINDS), table, [chosen.randrange(60) for _ in range(9)])
    except (psycopg.IntegrityError, psycopg.DataError):
        return
    except psycopg.Error as error:
        raise RefusedError(first_line(error)) from None


def different(connection: Connection, one: declaration.Declaration) -> bool:
    """Return whether a view has other rows than its SELECT, of those that have a key."""
    cursor = connection.execute(one.query.encode())
    columns = [column.name for column in cursor.description or ()]
    keys = [columns.index(column) for column in one.key]
    wanted = Counter(str(row) for row in cursor if all(row[key] is not None for key in keys))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    view = sql.SQL("select {} from {}").format(names, sql.Identifier("parts", one.name))
    return Counter(str(row) for row in connection.execute(view) if all(row[key] is not None for key in keys)) != wanted


@contextmanager
def by_deltaflow(name: str, query: str, connection: Connection) -> Iterator[Callable[[], None]]:
    with tempfile.TemporaryDirectory() as folder:
        views = Path(folder) / "views.sql"
        views.write_text(f"create view parts.{name} as\n{query};\n")
        with deltaflow(connection, name, views) as wait:
            yield wait


@contextmanager
def by_pg_ivm(name: str, query: str, connection: Connection) -> Iterator[Callable[[], None]]:
    try:
        connection.execute("select pgivm.create_immv(%s, %s)", [f"parts.{name}", query])
    except psycopg.Error as error:
        raise RefusedError(first_line(error)) from None
    yield lambda: None
    connection.execute(sql.SQL("drop table {}").format(sql.Identifier("parts", name)))


def first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0].removesuffix(" on incrementally maintainable materialized view")


def counted(tool: str, rows: Sequence[Row]) -> Row:
    """Return how many SELECTs a tool keeps."""
    found = Counter(row[tool].partition(":")[0].split()[0] for row in rows)
    accepted = [row for row in rows if not row[tool].startswith("refused")]
    return {
        "tool": tool,
        "SELECTs": str(len(rows)),
        "accepted": str(len(accepted)),
        "right": str(found["right"]),
        "wrong": str(found["wrong"]),
        "stopped": str(found["stopped"]),
        "right, of the 40": str(sum(row["SELECT"] in tests.KEPT and row[tool] == "right" for row in rows)),
    }
