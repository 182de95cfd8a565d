"""Crews: those that are read, and their histories tables."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch, fetch_one, fetch_prepared
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.scopes import FIRST_DAY, Selection
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model import scopes

EXPECTED_COLUMNS = {
    "session_id": {"text", "character varying", "character"},
    "message": {"jsonb", "json"},
    "created_at": {"timestamp with time zone"},
}

SMALL_ROWS = 1_000
"""So many rows at most has the table of a crew that is read together with others."""


class CrewError(ConvoPipelinesError):
    """A crew cannot be read; the message names the table and the remedy."""


class CrewLockedError(CrewError):
    """The crew's row is deleted, or locked by another session, such as one that deletes it."""


@dataclass(frozen=True)
class Position:
    """How far a histories table has been read: all days before `day`, UTC, and of that day sessions up to `session`.

    Without a session, none of them. Sessions are ordered by their bytes.
    """

    day: date
    session: str | None = None


@dataclass(frozen=True)
class Crew:
    """An active crew, and the part of its histories table that a tick has to read.

    Attributes:
        id: key in app.crews.
        code: its crew_code.
        table_name: its histories table, in app.
        members: oids of the table and its partitions; None if it does not exist.
        mode: captured, or uncaptured.
        remark: why it is not captured.
        columns: the table's columns and their types.
        has_time_index: whether created_at is indexed.
        conflicting_crews: other crews that would read the same rows.
        changes: the number of logged keys.
        rest_day: everything from this UTC day on has to be read; None: nothing.
        rest_session: of that day, only sessions after this one; None: all.
        size: about how many rows the table has, if all of it has to be read.
        has_unusable: whether rows were written that are left out.
        failures: failed runs since the last success.

    """

    id: UUID
    code: str
    table_name: str
    members: list[int] | None
    mode: str
    remark: str | None
    columns: dict[str, str] | None
    has_time_index: bool
    conflicting_crews: str | None
    changes: int
    rest_day: date | None
    rest_session: str | None
    size: int | None
    has_unusable: bool
    failures: int

    @property
    def rest(self) -> Position | None:
        """The position from which on everything has to be read."""
        return Position(self.rest_day, self.rest_session) if self.rest_day else None

    @property
    def is_small(self) -> bool:
        """Whether all of a small table has to be read."""
        return self.rest == Position(FIRST_DAY) and self.size is not None and self.size <= SMALL_ROWS

    @property
    def locked_tables(self) -> list[str]:
        """The tables of `app` that are locked against DDL while it is read."""
        return ["crews", self.table_name] if self.mode == "captured" else ["crews"]


def active(connection: Connection, codes: Iterable[str] = (), clients: Iterable[str] = ()) -> list[Row]:
    """Return the discovered crews, or those with these codes and of these clients: id, code, table_name, members.

    Raises:
        CrewError: a code belongs to no active crew, or to none of these clients.

    """
    found = fetch(connection, "model/crews/active", codes=list(codes) or None, clients=list(clients) or None)
    if missing := set(codes) - {row["code"] for row in found}:
        known = fetch(connection, "model/crews/active", codes=None, clients=list(clients) or None)
        of = f" of {', '.join(clients)}" if clients else ""
        raise CrewError(f"no active crew{of} has the code {', '.join(sorted(missing))}; there are: {_names(known)}")
    return found


def select(warehouse: Warehouse, codes: Sequence[str] = (), clients: Sequence[str] = ()) -> Selection | None:
    """Return the selection of crews, or clients, with these codes; None if no code is given.

    With both, it is of these crews, which must belong to these clients.

    Raises:
        CrewError: a code belongs to no active crew, or to no client.

    """
    if not codes and not clients:
        return None
    with warehouse.connection() as connection:
        known = fetch(connection, "model/crews/clients")
        id_of = {row["code"]: row["id"] for row in known}
        if missing := set(clients) - set(id_of):
            raise CrewError(f"no client has the code {', '.join(sorted(missing))}; there are: {_names(known)}")
        found = active(connection, codes, clients)
    return scopes.selected([crew["id"] for crew in found], [] if codes else [id_of[code] for code in clients])


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row["code"] for row in rows[:20]) or "none"


def any_missing(connection: Connection) -> bool:
    """Whether the table of a crew does not exist, so that each tick reports it."""
    return fetch_one(connection, "model/crews/missing")["is_any"]


def check_table(crew: Crew) -> list[str]:
    """Check that a crew's histories table can be read; return warnings.

    Raises:
        CrewError: it does not exist, lacks a column, or another crew reads it, too.

    """
    warnings: list[str] = []
    name = crew.table_name
    if not re.fullmatch("[a-z0-9_]{1,63}", name):
        raise CrewError(
            f"histories_table_name {name!r} is not allowed: use lower-case letters, digits and _ only, 63 at most"
        )
    if crew.columns is None:
        raise CrewError(f"table app.{name} does not exist; create it, or correct histories_table_name of the crew")
    if crew.conflicting_crews:
        raise CrewError(
            f"app.{name} is also read by {crew.conflicting_crews}; a histories table belongs to one client, and to "
            "one crew of it: correct histories_table_name of one of them, or give each crew a view of its own rows"
        )
    for column, types in EXPECTED_COLUMNS.items():
        actual = crew.columns.get(column)
        if actual is None:
            statement = f"alter table app.{name} add created_at timestamptz, alter created_at set default now()"
            how = f" by `{statement}`, which rewrites nothing" if column == "created_at" else ""
            raise CrewError(
                f"table app.{name} has no column {column} ({' or '.join(sorted(types))}); add it{how}, or correct "
                "histories_table_name of the crew"
            )
        if actual not in types:
            raise CrewError(
                f"column app.{name}.{column} is {actual}; it must be {' or '.join(sorted(types))}: alter it, or "
                "correct histories_table_name of the crew"
            )
    if crew.mode == "uncaptured":
        warnings.append(f"app.{name} is not captured, so only reconcile reads it: {crew.remark or 'not tried yet'}")
    if not crew.has_time_index:
        warnings.append(
            f"no index on app.{name} (created_at), every refresh reads the whole table; run: "
            f"create index concurrently on app.{name} (created_at)"
        )
    return warnings


def waiting(
    connection: Connection,
    from_snapshot: str | None,
    to_snapshot: str | None,
    selection: Selection | None = None,
    *,
    with_uncaptured: bool = False,
) -> list[Crew]:
    """Return the crews that a tick has to visit, by the changes between two snapshots; without the first, all.

    `with_uncaptured`: those whose table is not captured, too, though nothing is logged of it.
    """
    span = {"from_snapshot": from_snapshot, "to_snapshot": to_snapshot, "with_uncaptured": with_uncaptured}
    ids = selection and selection.parameters["crew_ids"]
    return [Crew(**row) for row in fetch_prepared(connection, "model/crews/waiting", **span, crew_ids=ids)]
