"""The slow, obvious recomputation: plain loops over all rows, nothing shared with the SQL."""

from collections import defaultdict
from typing import Any

import pandas as pd

from convo_pipelines_tests.world import World

SESSION_COLUMNS = [
    "crew_id", "session_id", "activity_date", "message_count", "human_count", "ai_count",
    "first_message_at", "last_message_at",
]  # fmt: skip
SUMMARY_COLUMNS = [
    "conversation_id", "source", "channel", "client_id", "crew_id", "session_id", "project_id", "message_count",
    "inbound_count", "outbound_count", "participant_count", "started_at", "ended_at", "duration_seconds",
    "first_response_seconds", "closed_at",
]  # fmt: skip


def histories(world: World) -> pd.DataFrame:
    """Every placeable row of every crew's histories table: crew_id, session_id, kind, at."""
    frames = []
    for crew in world.execute("select id, histories_table_name as name from app.crews where is_active"):
        if world.execute("select to_regclass('app.' || %s) as oid", crew["name"])[0]["oid"]:
            rows = world.table(f"app.{crew['name']}")
            frames.append(rows.assign(crew_id=crew["id"]))
    rows = pd.concat(frames) if frames else pd.DataFrame(columns=["crew_id", "session_id", "message", "created_at"])
    rows = rows.dropna(subset=["session_id", "created_at"])
    rows["kind"] = [message.get("type") if isinstance(message, dict) else None for message in rows["message"]]
    return rows.rename(columns={"created_at": "at"})[["crew_id", "session_id", "kind", "at"]]


def sessions(world: World) -> set[tuple[Any, ...]]:
    days = defaultdict(list)
    for row in histories(world).itertuples():
        days[row.crew_id, row.session_id, row.at.date()].append(row)
    return {
        (
            *key,
            len(rows),
            sum(row.kind == "human" for row in rows),
            sum(row.kind == "ai" for row in rows),
            min(row.at for row in rows),
            max(row.at for row in rows),
        )
        for key, rows in days.items()
    }


def summaries(world: World) -> set[tuple[Any, ...]]:
    spoken = defaultdict(list)
    for row in histories(world).itertuples():
        spoken[row.crew_id, row.session_id].append(
            (row.at.to_pydatetime(), {"human": "inbound", "ai": "outbound"}.get(row.kind))
        )
    written, parties = defaultdict(list), defaultdict(set)
    for message in world.execute("select * from app.messages"):
        written[message["conversation_id"]].append((message["sent_at"], message["direction"]))
    for recipient in world.execute(
        "select conversation_id, contact_method_id "
        "from app.message_recipients join app.messages on messages.id = message_id"
    ):
        parties[recipient["conversation_id"]].add(recipient["contact_method_id"])

    wanted = set()
    for talk in world.execute("select * from app.conversations"):
        if messages := spoken.get((talk["crew_id"], talk["session_id"])):
            source, participants = "histories", len({direction for _, direction in messages} - {None})
        elif messages := written.get(talk["id"]):
            source, participants = "messages", len(parties[talk["id"]])
        else:
            continue
        started, ended = min(when for when, _ in messages), max(when for when, _ in messages)
        wanted.add((
            talk["id"], source, talk["channel"], talk["client_id"], talk["crew_id"], talk["session_id"],
            talk["project_id"], len(messages), _count(messages, "inbound"), _count(messages, "outbound"), participants,
            started, ended, (ended - started).total_seconds(), first_response(messages), talk["closed_at"],
        ))  # fmt: skip
    return wanted


def first_response(messages: list[tuple[Any, str | None]]) -> float | None:
    asked = [when for when, direction in messages if direction == "inbound"]
    answered = [when for when, direction in messages if direction == "outbound" and asked and when >= min(asked)]
    return (min(answered) - min(asked)).total_seconds() if answered else None


def _count(messages: list[tuple[Any, str | None]], wanted: str) -> int:
    return sum(direction == wanted for _, direction in messages)


def rows(world: World, table: str, columns: list[str]) -> set[tuple[Any, ...]]:
    return {tuple(row[column] for column in columns) for row in world.execute(f"select * from {table}")}


def assert_right(world: World) -> None:
    """Every derived table equals its recomputation; every session has one conversation."""
    assert rows(world, "analytics.histories_sessions", SESSION_COLUMNS) == sessions(world)
    assert rows(world, "analytics.conversation_summaries", SUMMARY_COLUMNS) == summaries(world)
    talks = world.execute("select crew_id, session_id from app.conversations where channel = 'crew'")
    found = histories(world)
    assert {(talk["crew_id"], talk["session_id"]) for talk in talks} >= set(
        zip(found["crew_id"], found["session_id"], strict=True)
    )
    assert len(talks) == len({(talk["crew_id"], talk["session_id"]) for talk in talks})
