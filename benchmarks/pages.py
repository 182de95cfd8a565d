"""What pages read, at a million conversations: random keys, one at a time, without any cache of ours."""

import random
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from benchmarks.measure import connect, console, fresh_database, run_file, seconds
from convo_pipelines.database.statements import statement

KEYS = 1_000
FIRST_PAGE: dict[str, Any] = {
    "channel": None, "crew": None, "project": None, "is_open": None, "before": None, "before_id": None, "rows": 50,
}  # fmt: skip

Row = dict[str, str]
Choose = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the parameters of a read of a random conversation."""

READS: dict[str, tuple[str, Choose]] = {
    "a client's, newest first": ("client_conversations", lambda of: FIRST_PAGE | {"client": of["client_code"]}),
    "… the page after a random one": (
        "client_conversations",
        lambda of: FIRST_PAGE | {"client": of["client_code"], "before": of["started_at"], "before_id": of["id"]},
    ),
    "… of a channel": (
        "client_conversations",
        lambda of: FIRST_PAGE | {"client": of["client_code"], "channel": of["channel"]},
    ),
    "… of a crew": (
        "client_conversations",
        lambda of: FIRST_PAGE | {"client": of["client_code"], "crew": of["crew_code"]},
    ),
    "… of a project": (
        "client_conversations",
        lambda of: FIRST_PAGE | {"client": of["client_code"], "project": of["project_id"]},
    ),
    "… open": ("client_conversations", lambda of: FIRST_PAGE | {"client": of["client_code"], "is_open": True}),
    "… closed": ("client_conversations", lambda of: FIRST_PAGE | {"client": of["client_code"], "is_open": False}),
    "a person's": ("person_timeline", lambda of: {"person": of["person_id"]}),
    "a project's": ("project_conversations", lambda of: {"project": of["project_id"], "start": None, "end": None}),
    "how many a project has": ("conversations_per_project", lambda of: {"project": of["project_id"]}),
    "the open one of a lead": ("open_conversation", lambda of: {"lead": of["lead_id"]}),
    "a customer's latest": ("customer_conversations", lambda of: {"customer": of["customer_id"], "rows": 50}),
}


def measure(conversations: int) -> list[Row]:
    """Return a row per read."""
    with fresh_database() as url:
        connection = connect(url)
        run_file(connection, "pages", conversations=conversations)
        connection.execute("vacuum analyze")
        of = _conversations(connection)
        rows = [_row(connection, name, *read, of) for name, read in READS.items()]
        connection.close()
    return rows


def _conversations(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    query = (
        "select conversation.*, client_code, crew_code, person_id from app.conversations as conversation "
        "join app.clients as client on client.id = client_id join app.crews as crew on crew.id = crew_id "
        "join analytics.people_conversations on conversation_id = conversation.id "
        "where conversation.project_id is not null and lead_id is not null"
    )
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return random.Random(1).choices(cursor.execute(query).fetchall(), k=KEYS)


def _row(
    connection: psycopg.Connection[Any], name: str, read: str, choose: Choose, of: Sequence[dict[str, Any]]
) -> Row:
    query = statement(f"serving/read/{read}")
    keys = [choose(conversation) for conversation in of]
    found = [0]

    def run(key: dict[str, Any]) -> None:
        found[0] += len(connection.execute(query, key, prepare=False).fetchall())

    times = [seconds(lambda key=key: run(key)) * 1000 for key in keys]
    row = {
        "read": name,
        "rows": f"{found[0] / KEYS:.1f}",
        "p50": f"{statistics.median(times):.2f} ms",
        "p99": f"{statistics.quantiles(times, n=100)[-1]:.2f} ms",
    }
    console.print(row)
    return row
