"""The slow, obvious recomputation: plain loops over all rows, nothing shared with the SQL."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

import pandas as pd

from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import REGISTRY
from convo_pipelines_tests.world import World

SESSION_COLUMNS = [
    "crew_id", "session_id", "activity_date", "message_count", "human_count", "ai_count", "tool_call_count",
    "first_message_at", "last_message_at", "first_human_at", "first_ai_at", "first_response_at",
    "last_human_at", "last_ai_at", "unanswered_since",
]  # fmt: skip
SUMMARY_COLUMNS = [
    "conversation_id", "source", "channel", "client_id", "crew_id", "session_id", "project_id", "lead_id",
    "customer_id", "message_count", "inbound_count", "outbound_count", "participant_count", "started_at", "ended_at",
    "duration_seconds", "first_response_at", "first_response_seconds", "last_inbound_at", "last_outbound_at",
    "waiting_since", "closed_at",
]  # fmt: skip


IDLE_CREWS = """
select crews.id from app.crews join app.clients on clients.id = crews.client_id
where not (crews.is_active and clients.is_active)
"""


def inactive_crews(world: World) -> set[UUID]:
    """Crews that are not discovered: what is derived of them stands still."""
    return {row["id"] for row in world.execute(IDLE_CREWS)}


KINDS = {
    "human": "human", "user": "human", "ai": "ai", "assistant": "ai", "tool": "tool", "function_call_output": "tool",
    "function_call": "tool_call", "function": "function", "system": "system", "developer": "system",
    "generic": "generic",
}  # fmt: skip
"""What the names of types, classes and roles mean."""


def is_usable(when: Any) -> bool:
    """Whether a time is neither missing nor beyond what calendars hold."""
    return not pd.isna(when) and date(1, 1, 2) <= when.date() < date(9999, 12, 30)


def kind_of(message: Any) -> str | None:
    """What a message is, of any format; None where that is not known."""
    if not isinstance(message, dict):
        return None
    body = next((message[of] for of in ("data", "kwargs") if isinstance(message.get(of), dict)), message)
    named = message.get("type")
    if named == "constructor":
        named = str((message.get("id") or [""])[-1])
    if named is None or str(named) in {"chat", "generic", "message", "ChatMessage", "ChatMessageChunk"}:
        named = body.get("role") or message.get("role") or named
    kind = KINDS.get(str(named).lower().removesuffix("chunk").removesuffix("message"))
    content = body.get("content")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    more = body.get("additional_kwargs") or {}
    calls = [body.get("tool_calls"), body.get("function_call"), more.get("tool_calls"), more.get("function_call")]
    calls += [part for part in parts if isinstance(part, dict) and part.get("type") in ("tool_use", "function_call")]
    if kind == "ai" and any(calls) and not any(text.strip() for text in texts if isinstance(text, str)):
        return "tool_call"
    return kind


def histories(world: World) -> pd.DataFrame:
    """Every placeable row of every active crew's histories table: crew_id, session_id, kind, at."""
    frames = []
    idle = inactive_crews(world)
    for crew in world.execute("select id, histories_table_name as name from app.crews"):
        if crew["id"] in idle:
            continue
        if world.execute("select to_regclass('app.' || %s) as oid", crew["name"])[0]["oid"]:
            rows = world.table(f"app.{crew['name']}")
            frames.append(rows.assign(crew_id=crew["id"]))
    rows = pd.concat(frames) if frames else pd.DataFrame(columns=["crew_id", "session_id", "message", "created_at"])
    usable = [
        isinstance(session, str) and len(session.encode()) <= 2_000 and is_usable(when)
        for session, when in zip(rows["session_id"], rows["created_at"], strict=True)
    ]
    rows = rows[pd.array(usable, dtype="boolean")]
    rows["kind"] = [kind_of(message) for message in rows["message"]]
    return rows.rename(columns={"created_at": "at"})[["crew_id", "session_id", "kind", "at"]]


def sessions(world: World) -> set[tuple[Any, ...]]:
    days = defaultdict(list)
    for row in histories(world).itertuples():
        days[row.crew_id, row.session_id, row.at.date()].append(row)
    wanted = set()
    for key, rows in days.items():
        asked, answered = ([row.at for row in rows if row.kind == kind] for kind in ("human", "ai"))
        answers = [at for at in answered if asked and at >= min(asked)]
        called = sum(row.kind == "tool_call" for row in rows)
        counts, times = (len(rows), len(asked), len(answered), called), [row.at for row in rows]
        first = (min(found, default=None) for found in (asked, answered, answers))
        last = (max(found, default=None) for found in (asked, answered))
        left = [at for at in asked if not answered or at > max(answered)]
        wanted.add((*key, *counts, min(times), max(times), *first, *last, min(left, default=None)))
    return wanted


def owners(world: World) -> dict[UUID, UUID | None]:
    """Whose each conversation is: the client it names, else its crew's."""
    client_of_crew = {crew["id"]: crew["client_id"] for crew in world.execute("select * from app.crews")}
    return {
        talk["id"]: talk["client_id"] or client_of_crew.get(talk["crew_id"])
        for talk in world.execute("select * from app.conversations")
    }


def summaries(world: World) -> set[tuple[Any, ...]]:
    owner = owners(world)
    spoken = defaultdict(list)
    for row in histories(world).itertuples():
        spoken[row.crew_id, row.session_id].append(
            (row.at.to_pydatetime(), {"human": "inbound", "ai": "outbound"}.get(row.kind))
        )
    written, parties = defaultdict(list), defaultdict(set)
    for message in world.execute("select * from app.messages"):
        if is_usable(message["sent_at"]):
            written[message["conversation_id"]].append((message["sent_at"], message["direction"]))
    for recipient in world.execute(
        "select message.conversation_id, recipient.contact_method_id from app.message_recipients as recipient "
        "join app.messages as message on message.id = recipient.message_id"
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
        closed = talk["closed_at"] if is_usable(talk["closed_at"]) else None
        said, answered = ([when for when, of in messages if of == side] for side in ("inbound", "outbound"))
        left = [when for when in said if not answered or when > max(answered)]
        wanted.add((
            talk["id"], source, talk["channel"], owner[talk["id"]], talk["crew_id"], talk["session_id"],
            talk["project_id"], talk["lead_id"], talk["customer_id"], len(messages), _count(messages, "inbound"),
            _count(messages, "outbound"), participants,
            started, ended, (ended - started).total_seconds(), *first_response(messages, source),
            max(said, default=None), max(answered, default=None), min(left, default=None) if closed is None else None,
            closed,
        ))  # fmt: skip
    return wanted


DAY_COLUMNS = [
    "conversation_id", "activity_date", "client_id", "source", "message_count", "is_started", "is_closed",
    "first_response_seconds",
]  # fmt: skip


def conversation_days(world: World) -> set[tuple[Any, ...]]:
    """What happened in each conversation of a client day by day, of the session-days and summaries that were found."""
    per_session, per_conversation = defaultdict(dict), defaultdict(lambda: defaultdict(int))
    for day in world.execute("select * from analytics.histories_sessions"):
        per_session[day["crew_id"], day["session_id"]][day["activity_date"]] = day["message_count"]
    for message in world.execute("select * from app.messages"):
        if is_usable(message["sent_at"]):
            per_conversation[message["conversation_id"]][message["sent_at"].date()] += 1
    wanted = set()
    for talk in world.execute("select * from analytics.conversation_summaries where client_id is not null"):
        is_session = talk["source"] == "histories"
        counts = (
            per_session[talk["crew_id"], talk["session_id"]]
            if is_session
            else per_conversation[talk["conversation_id"]]
        )
        started, closed = talk["started_at"].date(), talk["closed_at"] and talk["closed_at"].date()
        for day in {*counts, *([closed] if closed else [])}:
            first = talk["first_response_seconds"] if day == started else None
            values = (talk["source"], counts.get(day, 0), day == started, day == closed, first)
            wanted.add((talk["conversation_id"], day, talk["client_id"], *values))
    return wanted


CREW_DAY_COLUMNS = [
    "crew_id", "activity_date", "crew_code", "crew_name", "client_id", "sessions", "messages", "human_messages",
    "ai_messages", "first_response_median_seconds",
]  # fmt: skip


def crew_days(world: World) -> set[tuple[Any, ...]]:
    """What each crew did day by day, of the session-days that were found."""
    crews = {crew["id"]: crew for crew in world.execute("select * from app.crews")}
    found = defaultdict(list)
    for day in world.execute("select * from analytics.histories_sessions"):
        found[day["crew_id"], day["activity_date"]].append(day)
    wanted = set()
    for (crew_id, date_), days in found.items():
        crew = crews[crew_id]
        waits = [
            wait
            for day in days
            if day["first_response_at"]
            and (wait := (day["first_response_at"] - day["first_human_at"]).total_seconds()) >= AT_ONCE_SECONDS
        ]
        counts = [sum(day[name] for day in days) for name in ("message_count", "human_count", "ai_count")]
        names = (crew["crew_code"], crew["name"], crew["client_id"])
        wanted.add((crew_id, date_, *names, len(days), *counts, median(waits) if waits else None))
    return wanted


CLIENT_DAY_COLUMNS = [
    "client_id", "activity_date", "client_code", "sessions", "messages", "conversations_started",
    "conversations_closed", "first_response_median_seconds", "first_response_p90_seconds",
]  # fmt: skip


def client_days(world: World) -> set[tuple[Any, ...]]:
    """What happened for each client day by day, of the recomputed days of its conversations."""
    code_of = {client["id"]: client["client_code"] for client in world.execute("select * from app.clients")}
    found = defaultdict(list)
    for row in conversation_days(world):
        day = dict(zip(DAY_COLUMNS, row, strict=True))
        found[day["client_id"], day["activity_date"]].append(day)
    wanted = set()
    for (client, date_), days in found.items():
        if client not in code_of:
            continue
        waits = pd.Series([day["first_response_seconds"] for day in days], dtype=float).dropna()
        wanted.add((
            client, date_, code_of[client],
            sum(day["source"] == "histories" and day["message_count"] > 0 for day in days),
            sum(day["message_count"] for day in days),
            sum(day["is_started"] for day in days),
            sum(day["is_closed"] for day in days),
            float(waits.median()) if len(waits) else None,
            float(waits.quantile(0.9)) if len(waits) else None,
        ))  # fmt: skip
    return wanted


AT_ONCE_SECONDS = 0.25
"""What a crew writes within this time, it writes at once."""


def first_response(messages: list[tuple[Any, str | None]], source: str) -> tuple[datetime | None, float | None]:
    """When the first question was answered, and how long that took, if it is known."""
    asked = [when for when, direction in messages if direction == "inbound"]
    answered = [when for when, direction in messages if direction == "outbound" and asked and when >= min(asked)]
    if not answered:
        return None, None
    seconds = (min(answered) - min(asked)).total_seconds()
    return min(answered), None if source == "histories" and seconds < AT_ONCE_SECONDS else seconds


def _count(messages: list[tuple[Any, str | None]], wanted: str) -> int:
    return sum(direction == wanted for _, direction in messages)


def rows(world: World, table: str, columns: list[str]) -> set[tuple[Any, ...]]:
    return {tuple(row[column] for column in columns) for row in world.execute(f"select * from {table}")}


def rounded(found: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Rows without the last bits of what was divided."""
    return {tuple(round(float(v), 8) if isinstance(v, float | Decimal) else v for v in row) for row in found}


def assert_right(world: World, deleted: Set[tuple[UUID, str]] = frozenset()) -> None:
    """What discovery makes equals its recomputation; sessions without a conversation are only those `deleted`."""
    _assert_all(world, REGISTRY.of_job("conversation_discovery"), deleted)


def assert_links_right(world: World) -> None:
    """Participants and all link tables equal their recomputation."""
    _assert_all(world, REGISTRY.of_job("link_sync"))


def _assert_all(world: World, tables: Iterable[DerivedTable], deleted: Set[tuple[UUID, str]] = frozenset()) -> None:
    idle = inactive_crews(world)
    for table in tables:
        if table.rows.is_insert_only:  # there may be others, the application's
            _, without = RECOMPUTED[table.name]
            assert without(world) <= deleted, f"{table.name}: there are sessions without a conversation"
            assert not doubled_conversations(world), f"{table.name}: there are two conversations of a session"
            continue
        _assert_entry(world, table.name, idle)


def assert_equal(world: World, *tables: str) -> None:
    """Tables equal their recomputation."""
    for table in tables:
        _assert_entry(world, table)


def _assert_entry(world: World, table: str, idle: Set[UUID] = frozenset()) -> None:
    columns, recompute = RECOMPUTED[table]
    found, wanted = rounded(rows(world, f"analytics.{table}", columns)), rounded(recompute(world))
    if "crew_id" in columns and table in STANDING_STILL:
        crew = columns.index("crew_id")
        found, wanted = ({row for row in some if row[crew] not in idle} for some in (found, wanted))
    assert found == wanted, table


def without_conversation(world: World) -> set[tuple[UUID, str]]:
    """Sessions of which there is no conversation."""
    talks = world.execute("select crew_id, session_id from app.conversations where crew_id is not null")
    found = histories(world)
    return set(zip(found["crew_id"], found["session_id"], strict=True)) - {
        (talk["crew_id"], talk["session_id"]) for talk in talks
    }


def doubled_conversations(world: World) -> set[tuple[UUID, str]]:
    """Sessions of which there are two conversations."""
    talks = world.execute("select crew_id, session_id from app.conversations where crew_id is not null")
    times = Counter((talk["crew_id"], talk["session_id"]) for talk in talks)
    return {session for session, count in times.items() if count > 1}


SPELLINGS = {
    "ana@münchen.example": ["ana@münchen.example", " ANA@MÜNCHEN.example ", "ana@xn--mnchen-3ya.example"],
    "ben@b.example": ["ben@b.example", "Ben@B.Example"],
    "shared@example.com": ["shared@example.com", "Shared@Example.com"],
    "+49301234567": ["+49301234567", "+49 (0)30 1234567", "tel:+49-30-1234567"],
    "+4915112345678": ["+4915112345678", "+49 151 12345678"],
    "urn:li:member:7": ["urn:li:member:7", " URN:LI:MEMBER:7"],
    "linkedin.com/in/ana": [
        "https://www.linkedin.com/in/ana/",
        "http://de.linkedin.com/in/Ana?trk=x",
        "linkedin.com/in/ana",
    ],
    None: ["nobody", "ana@", "12", "linkedin.com/company/x"],
}
CANONICAL = {spelling: identifier for identifier, spellings in SPELLINGS.items() for spelling in spellings}
"""Any other spelling stands for itself."""
SESSION_IDS = {
    "4915112345678": "+4915112345678",
    "4915112345678@s.whatsapp.net": "+4915112345678",
    " Ben@b.example": "ben@b.example",
    "SHARED@example.com": "shared@example.com",
    "0b1c2d3e": None,
}
CONFIDENCE = {"manual": 1.0, "decision": 1.0, "email": 0.95, "phone": 0.9, "linkedin": 0.85}

RESOLUTION_COLUMNS = ["contact_method_id", "person_id", "status", "method", "confidence", "candidate_count"]


def key_of(contact: dict[str, Any]) -> str:
    """What a contact method is found by: its identifier, or its id if its value is none."""
    return CANONICAL.get(contact["value"], contact["value"]) or str(contact["id"])


def holders(world: World) -> dict[str, dict[UUID, bool]]:
    """Who has each identifier, and whether by decision: else by the own record, or a contact method that was given."""
    found: dict[str, dict[UUID, bool]] = defaultdict(dict)
    contacts = {contact["id"]: contact for contact in world.execute("select * from app.contact_methods")}
    people = world.execute("select * from app.people")
    for person in people:
        for column in ("email", "phone", "linkedin_urn"):
            if identifier := CANONICAL.get(person[column], person[column]):
                found[identifier][person["id"]] = False
    for contact in contacts.values():
        if contact["person_id"] in {person["id"] for person in people}:
            found[key_of(contact)].setdefault(contact["person_id"], False)
    in_force = world.execute("select * from curation.participant_decisions where revoked_at is null order by decision")
    for row in in_force:  # link before never
        contact = contacts.get(row["contact_method_id"])
        key = key_of(contact) if contact else CANONICAL.get(row["identifier"], row["identifier"])
        if key and row["person_id"] in {person["id"] for person in people}:
            holding = found[key]
            if row["decision"] == "link":
                holding[row["person_id"]] = True
            else:
                holding.pop(row["person_id"], None)
    return found


def named(candidates: dict[UUID, bool]) -> tuple[UUID | None, bool]:
    """Who is meant among candidates, and whether by decision: who was decided, else who has it, if that is one."""
    decided = {person for person, is_decided in candidates.items() if is_decided}
    meant = decided or set(candidates)
    return (next(iter(meant)), bool(decided)) if len(meant) == 1 else (None, False)


def resolutions(world: World) -> set[tuple[Any, ...]]:
    known, wanted = holders(world), set()
    people = {person["id"] for person in world.execute("select id from app.people")}
    for contact in world.execute("select * from app.contact_methods"):
        candidates = known.get(key_of(contact), {})
        person, is_decided = named(candidates)
        method = "decision" if is_decided else contact["kind"]
        if contact["person_id"] in people:
            person, method = contact["person_id"], "manual"
        count = max(len(candidates), int(method == "manual"))
        if person:
            wanted.add((contact["id"], person, "resolved", method, CONFIDENCE[method], count))
        else:
            is_invalid = key_of(contact) == str(contact["id"])
            status = "ambiguous" if count else "invalid" if is_invalid else "unmatched"
            wanted.add((contact["id"], None, status, None, None, count))
    return wanted


CLIENT_COLUMNS = ["client_id", "conversation_id", "channel", "crew_id", "project_id", "started_at", "closed_at"]


def people_links(world: World) -> set[tuple[UUID, UUID]]:
    """Whom the recipients and the session id of each conversation name, among the people of its client."""
    known = holders(world)
    client_of = {person["id"]: person["client_id"] for person in world.execute("select * from app.people")}
    contacts = {contact["id"]: contact for contact in world.execute("select * from app.contact_methods")}
    owner = owners(world)
    parties = defaultdict(set)
    for row in world.execute(
        "select message.conversation_id, recipient.contact_method_id from app.message_recipients as recipient "
        "join app.messages as message on message.id = recipient.message_id"
    ):
        parties[row["conversation_id"]].add(row["contact_method_id"])
    wanted = set()
    for talk in world.execute("select * from app.conversations"):
        names = {SESSION_IDS.get(talk["session_id"])} if talk["crew_id"] else set()
        for contact in (contacts[party] for party in parties[talk["id"]] & contacts.keys()):
            if contact["person_id"] in client_of:
                wanted.add((contact["person_id"], talk["id"]))
            else:
                names.add(key_of(contact))
        for name in names:
            of_client = {p: d for p, d in known.get(name, {}).items() if owner[talk["id"]] in (None, client_of[p])}
            if (person := named(of_client)[0]) is not None:
                wanted.add((person, talk["id"]))
    return wanted


def usable(cell: Any) -> Any:
    """A cell, or None for a time that is left out."""
    return None if isinstance(cell, datetime) and not is_usable(cell) else cell


def client_links(world: World) -> set[tuple[Any, ...]]:
    talks = {talk["id"]: talk for talk in world.execute("select * from app.conversations")}
    clients = {client["id"] for client in world.execute("select id from app.clients")}
    return {
        (client, talk, *(usable(talks[talk][name]) for name in CLIENT_COLUMNS[2:]))
        for client, talk in clients_in(world)
        if client in clients
    }


def clients_in(world: World) -> set[tuple[UUID, UUID]]:
    """Whose each conversation is, and whose people are in it."""
    client_of = {person["id"]: person["client_id"] for person in world.execute("select * from app.people")}
    return {(client_of[person], talk) for person, talk in people_links(world)} | {
        (client, talk) for talk, client in owners(world).items() if client
    }


def flattened(array: list[Any]) -> Iterator[UUID]:
    """The ids in an array of any dimensions."""
    for item in array:
        yield from flattened(item) if isinstance(item, list) else [item] if item else []


def inconsistencies(world: World) -> set[tuple[UUID, UUID, str, UUID | None]]:
    """Where arrays and conversations disagree, and which project the conversation names; nowhere without arrays."""
    project_of = {talk["id"]: talk["project_id"] for talk in world.execute("select * from app.conversations")}
    arrays = {
        project["id"]: list(flattened(project["conversation_ids"]))
        for project in world.execute("select * from app.projects")
        if "conversation_ids" in project
    }
    found = {
        (project, talk, "project_mismatch" if talk in project_of else "stale_id", project_of.get(talk))
        for project, talks in arrays.items()
        for talk in talks
        if project_of.get(talk) != project
    }
    missing = {
        (project, talk) for talk, project in project_of.items() if project in arrays and talk not in arrays[project]
    }
    return found | {(project, talk, "missing_from_array", project) for project, talk in missing}


def unknown_sessions(world: World) -> set[tuple[str, UUID | None, str, int]]:
    """Which session ids name nobody of their client, or several: identifier, client, status, conversations."""
    known, owner = holders(world), owners(world)
    client_of = {person["id"]: person["client_id"] for person in world.execute("select * from app.people")}
    talks = Counter(
        (SESSION_IDS.get(talk["session_id"]), owner[talk["id"]])
        for talk in world.execute("select * from app.conversations where crew_id is not null")
    )
    found = set()
    for (name, client), times in talks.items():
        candidates = {p: d for p, d in known.get(name or "", {}).items() if client in (None, client_of[p])}
        if name and named(candidates)[0] is None:
            found.add((name, client, "ambiguous" if candidates else "unmatched", times))
    return found


Assigned = tuple[UUID | None, datetime, str | None]
"""The project that a conversation was moved to, when, and the actor that was named."""


def assert_assigned(world: World, assigned: dict[UUID, Assigned]) -> None:
    """Links say when and by whom they were made, as far as the application's writes are known."""
    users = {str(user["id"]): user["id"] for user in world.execute("select id from app.users")}
    for link in world.execute("select * from analytics.project_conversations"):
        project, moved_at, actor = assigned.get(link["conversation_id"], (None, None, None))
        is_known = project == link["project_id"]
        by = users.get(actor or "") if is_known else None
        assert link["added_by_is"] == ("actor" if by else "owner")
        assert not by or link["added_by"] == by
        assert not is_known or link["added_at"] == moved_at


def project_links(world: World) -> set[tuple[UUID, UUID]]:
    named = world.execute("select project_id, id from app.conversations where project_id is not null")
    return {(row["project_id"], row["id"]) for row in named}


Entry = tuple[list[str], Callable[[World], set[tuple[Any, ...]]]]
STANDING_STILL = {"histories_sessions", "conversation_summaries"}
"""Rows of crews that are switched off stay as they are."""
RECOMPUTED: dict[str, Entry] = {
    "histories_sessions": (SESSION_COLUMNS, sessions),
    "crew_conversations": (["crew_id", "session_id"], without_conversation),
    "conversation_summaries": (SUMMARY_COLUMNS, summaries),
    "conversation_days": (DAY_COLUMNS, conversation_days),
    "crew_activity_daily": (CREW_DAY_COLUMNS, crew_days),
    "client_activity_daily": (CLIENT_DAY_COLUMNS, client_days),
    "participant_resolutions": (RESOLUTION_COLUMNS, resolutions),
    "people_conversations": (["person_id", "conversation_id"], people_links),
    "clients_conversations": (CLIENT_COLUMNS, client_links),
    "project_conversations": (["project_id", "conversation_id"], project_links),
    "project_link_inconsistencies": (
        ["project_id", "conversation_id", "kind", "named_project_id"],
        inconsistencies,
    ),
}
"""The columns of each derived table that are compared, and their recomputation: of `crew_conversations`, what lacks."""
NOT_RECOMPUTED = {
    "histories_sessions": {"archived_at"},
    "crew_conversations": {"channel", "client_id", "started_at"},
    "project_conversations": {"added_at", "added_by", "added_by_is"},
}
"""What says when we saw it, is written once, or is compared by `assert_assigned`: other tests look at these columns."""
