"""Single sessions, refreshed in all tables at once, without waiting for a tick."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple
from uuid import UUID

import psycopg

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import error_message, fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, refresh
from convo_pipelines.engine.chunk_size import TooSlowError
from convo_pipelines.engine.chunks import KeyOfSeveralRowsError
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Asked, parameters
from convo_pipelines.engine.work import Outcome
from convo_pipelines.model import histories, scopes
from convo_pipelines.model.isolation import total
from convo_pipelines.model.tables import CREW_CONVERSATIONS, DERIVED_TABLES, HISTORIES_SESSIONS, REGISTRY

LEFT_TO_TICKS = "activity"
"""The group of tables that are not of single sessions: days of crews and clients."""


def _branches() -> list[list[DerivedTable]]:
    """Return what follows from a crew's conversation: tables that follow each other, in this order."""
    branches: list[list[DerivedTable]] = []
    for table in DERIVED_TABLES:
        if table.asked and table.group != LEFT_TO_TICKS and table is not CREW_CONVERSATIONS:
            followed = [branch for branch in branches if any(other.name in table.changes for other in branch)]
            branches = [branch for branch in branches if branch not in followed]
            branches.append([*chain(*followed), table])
    return branches


BRANCHES = _branches()
WORKERS = 2

LOCKED = "its crew, its conversation or one of its persons is locked"

_log = logging.getLogger(__name__)


class SessionKey(NamedTuple):
    """A requested session: the code of its crew, and its id there."""

    crew_code: str
    session_id: str


@dataclass(frozen=True)
class Missing:
    """There is no such crew or session; the reason says which. Its transaction may not have committed yet."""

    reason: str


@dataclass(frozen=True)
class Deferred:
    """It could not be refreshed now, for this reason; the next tick does."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """A rule of the application refuses its conversation; the reason names it."""

    reason: str


Answer = Row | Missing | Deferred | Refused
"""A row: crew_code, session_id, conversation_id, message_count, inbound_count, outbound_count, and how many people,
clients and projects it is linked to."""


@dataclass(frozen=True)
class AnsweredBatch:
    """The answers to a batch of requests, and what was done to each table."""

    answers: Mapping[SessionKey, Answer]
    outcomes: Mapping[str, Outcome]
    milliseconds: int

    @property
    def sessions(self) -> int:
        """The number of sessions that are up to date."""
        return sum(isinstance(answer, dict) for answer in self.answers.values())


def complete(warehouse: Warehouse, requested: Iterable[SessionKey]) -> AnsweredBatch:
    """Refresh everything derived from these sessions, and return their answers.

    One transaction per table serves the whole batch; if a row is locked, each session gets its own.
    """
    started = time.monotonic()
    sessions = list(dict.fromkeys(requested))
    outcomes = defaultdict[str, Outcome](Outcome)
    try:
        answers = _complete(warehouse, sessions, outcomes)
    except (psycopg.Error, TooSlowError, KeyOfSeveralRowsError) as error:
        answers = dict[SessionKey, Answer].fromkeys(sessions, Deferred(error_message(error)))
    milliseconds = round((time.monotonic() - started) * 1000)
    changed = [f"{outcome.counts.changed} {name}" for name, outcome in outcomes.items() if outcome.counts.changed]
    _log.info("%d sessions: %s, %d ms", len(sessions), ", ".join(changed) or "nothing new", milliseconds)
    return AnsweredBatch(answers, outcomes, milliseconds)


def _complete(
    warehouse: Warehouse, requested: Sequence[SessionKey], outcomes: dict[str, Outcome]
) -> dict[SessionKey, Answer]:
    capture.sync(warehouse, REGISTRY)
    with warehouse.connection() as connection:
        found = fetch(
            connection, "model/crews/active", codes=[session.crew_code for session in requested], clients=None
        )
    crew_ids: dict[str, UUID] = {row["code"]: row["id"] for row in found}
    answers: dict[SessionKey, Answer] = {session: _missing(session, crew_ids) for session in requested}
    known = [session for session in requested if session.crew_code in crew_ids]

    scope = _scope(known, crew_ids)
    read = histories.read_sessions(warehouse, _log, scope)
    outcomes[HISTORIES_SESSIONS.name].add(total(read))
    deferred = {result.crew.code: result.error or LOCKED for result in read if result.error or not result.caught_up}
    answers |= {session: Deferred(deferred[session.crew_code]) for session in known if session.crew_code in deferred}
    with warehouse.connection() as connection:
        present = {_key(row) for row in _fetch(connection, "serving/webhook/sessions", scope)}
    ready = [session for session in known if session in present and session.crew_code not in deferred]

    scope = _scope(ready, crew_ids)
    derived = _derive(warehouse, scope) if ready else {}
    for name, outcome in derived.items():
        outcomes[name].add(outcome)
    if any(outcome.locked for outcome in derived.values()):
        if len(ready) == 1:
            return answers | {ready[0]: Deferred(LOCKED)}
        for session in ready:
            answers |= _complete(warehouse, [session], outcomes)
        return answers
    with warehouse.connection() as connection:
        refused = _fetch(connection, "serving/webhook/refused", scope)
        rows = _fetch(connection, "serving/webhook/answers", scope)
    answers |= {_key(row): Refused(f"app.conversations refuses it by {row['refused_by']}") for row in refused}
    return answers | {_key(row): row for row in rows}


def _derive(warehouse: Warehouse, scope: Asked) -> dict[str, Outcome]:
    """Refresh all tables derived from these sessions, the branches in parallel; return the outcome of each table."""

    def refreshed(tables: Sequence[DerivedTable]) -> dict[str, Outcome]:
        return {table.name: refresh.read_asked(warehouse, table, scope) for table in tables}

    made = refreshed([CREW_CONVERSATIONS])
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in pool.map(refreshed, BRANCHES):
            made |= done
    return made


def _missing(session: SessionKey, crew_ids: Mapping[str, UUID]) -> Missing:
    if session.crew_code not in crew_ids:
        return Missing(f"no active crew has the code {session.crew_code}")
    return Missing(f"crew {session.crew_code} has no such session, or the application has deleted its conversation")


def _key(row: Row) -> SessionKey:
    return SessionKey(row["crew_code"], row["session_id"])


def _scope(sessions: Iterable[SessionKey], crew_ids: Mapping[str, UUID]) -> Asked:
    pairs = [(crew_ids[session.crew_code], session.session_id) for session in sessions]
    return scopes.asked([crew_id for crew_id, _ in pairs], [session_id for _, session_id in pairs])


def _fetch(connection: Connection, name: str, scope: Asked) -> list[Row]:
    return fetch(connection, name, **parameters(scope))
