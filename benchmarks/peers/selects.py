"""The SELECTs of `convo_pipelines_tests`, kept by Deltaflow and by pg_ivm while everything that they read changes."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.peers.live import Connection, RefusedError, caught_up, copy_tables, deltaflow, pg_ivm, said
from convo_pipelines.authoring import declaration
from convo_pipelines_tests.database import test_own_selects as tests

CHANGES, CHANGES_A_LOOK = 400, 10
KINDS = ("insert", "update", "delete", "renew")
COPIED = (
    "app.clients", "app.crews", "app.people", "app.contact_methods", "app.conversations", "app.messages",
    "app.message_recipients", "analytics.people_conversations", "analytics.histories_sessions",
    "analytics.conversation_summaries",
)  # fmt: skip
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
    prepare(source, target)
    with pg_ivm() as inside:
        prepare(source, inside)
        rows = [
            {
                "SELECT": name,
                "convo_pipelines": f"refused: {tests.REASONS[name]}" if name in tests.REASONS else "right",
                "Deltaflow": outcome(name, target, by_deltaflow),
                "pg_ivm": outcome(name, inside, by_pg_ivm),
            }
            for name in tests.SELECTS
        ]
    return [counted(tool, rows) for tool in list(rows[0])[1:]], rows
