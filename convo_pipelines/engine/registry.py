"""The derived tables: their names, the tables that each reads and follows, their rows and keys.

A table's statements are in `sql/tables/<name>/`: `rows.sql` returns the rows that there should be for the keys of a
chunk, `keys.sql` the keys that a scope concerns. The engine compares, writes, propagates and retries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import LiteralString

from psycopg import sql

from convo_pipelines.database.statements import exists
from convo_pipelines.database.warehouse import Connection
from convo_pipelines.engine import participants

_KEY_TYPES: dict[str, LiteralString] = {
    "session_id": "text",
    "source": "text",
    "rank": "int",
    "activity_date": "date",
    "start_day": "date",
    "end_day": "date",
}


@dataclass(frozen=True)
class Grain:
    """The keys of a table: the unit in which it is refreshed.

    Attributes:
        name: of its statements in `sql/engine/keys/`.
        order: the columns that identify a key, in the order in which chunks go through them.
        more: further columns of a key.
        by_bytes: those of them that are texts, and ordered by their bytes.
        keyed_by: pairs of a column of the keys and the column of the rows that equals it; none: keys identify no rows.
        sources: the relations that contain all keys, and their columns in the order of the key.
        selection: the statement in `sql/engine/keys/selection/` that narrows keys to crews and clients.
        retry: the statement that logs the keys of locked rows for the next tick, and the column with the key.
        has_days: whether a window of days restricts the keys; otherwise a backfill refreshes everything.

    """

    name: str
    order: tuple[str, ...]
    keyed_by: tuple[tuple[str, str], ...]
    more: tuple[str, ...] = ()
    by_bytes: tuple[str, ...] = ()
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    selection: str = "none"
    retry: tuple[str, str] | None = None
    has_days: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of a key."""
        return (*self.order, *self.more)

    @staticmethod
    def type_of(column: str) -> LiteralString:
        """Return the type of a column of a key."""
        return _KEY_TYPES.get(column, "uuid")

    @property
    def asked(self) -> str | None:
        """The statement that finds the keys of what a caller names, if there is one."""
        return name if exists(name := f"engine/keys/asked/{self.name}") else None

    @property
    def retried(self) -> str | None:
        """The statement that finds the keys that the last tick logged for retry, if there is one."""
        return name if exists(name := f"engine/keys/retried/{self.name}") else None


CONVERSATIONS = Grain(
    "conversations",
    order=("conversation_id",),
    keyed_by=(("conversation_id", "conversation_id"),),
    sources=(("app.conversations", ("id",)),),
    selection="conversations",
    retry=("engine/retry/conversations", "conversation_id"),
)
SUMMARIZED_CONVERSATIONS = replace(CONVERSATIONS, sources=(("analytics.conversation_summaries", ("conversation_id",)),))
SESSIONS = Grain(
    "sessions",
    order=("crew_id", "session_id"),
    keyed_by=(("crew_id", "crew_id"), ("session_id", "session_id")),
    sources=(("analytics.histories_sessions", ("crew_id", "session_id")),),
    selection="crews",
    retry=("tables/crew_conversations/retry", "session_id"),
)
SESSION_DAYS = Grain(
    "session_days",
    order=("start_day", "session_id", "crew_id"),
    keyed_by=(("crew_id", "crew_id"), ("session_id", "session_id"), ("start_day", "activity_date")),
    more=("end_day",),
    by_bytes=("session_id",),
)
CREW_DAYS = Grain(
    "crew_days",
    order=("crew_id", "activity_date"),
    keyed_by=(("crew_id", "crew_id"), ("activity_date", "activity_date")),
    sources=(("analytics.histories_sessions", ("crew_id", "activity_date")),),
    selection="crews",
    retry=("engine/retry/days", "crew_id"),
)
CLIENT_DAYS = Grain(
    "client_days",
    order=("client_id", "activity_date"),
    keyed_by=(("client_id", "client_id"), ("activity_date", "activity_date")),
    sources=(("analytics.conversation_days", ("client_id", "activity_date")),),
    selection="clients",
    retry=("engine/retry/days", "client_id"),
)
IDENTIFIER_SOURCES = Grain(
    "identifier_sources",
    order=("rank", "id"),
    more=("source",),
    keyed_by=(),
    retry=("engine/retry/identifiers", "contact_method_id"),
    has_days=False,
)
PROJECTS = Grain(
    "projects",
    order=("id",),
    keyed_by=(("id", "project_id"),),
    sources=(("app.projects", ("id",)),),
    retry=("engine/retry/conversations", "conversation_id"),
    has_days=False,
)


@dataclass(frozen=True)
class Target:
    """The rows that a refresh keeps equal to their sources.

    Attributes:
        relation: their table, as `schema.table`.
        key: the columns that identify a row.
        updated_at_column: the column with the time at which a row was last written, if there is one.
        parents: the columns that refer to a table of the application, and the name of that table.
        inserted: the columns of a row, if rows are only ever inserted; none: the catalog lists the columns.
        is_found_again: whether rows that are right are written, too, to record when they were last found.

    """

    relation: str
    key: tuple[str, ...]
    updated_at_column: str | None = "refreshed_at"
    parents: tuple[tuple[str, str], ...] = ()
    inserted: tuple[str, ...] = ()
    is_found_again: bool = False

    @property
    def is_insert_only(self) -> bool:
        """Whether its rows are never updated or deleted."""
        return bool(self.inserted)


@dataclass(frozen=True)
class DerivedTable:
    """A table that is kept right by `refresh(scope)`.

    Attributes:
        name: of the asset, the folder of its statements and its watermark.
        description: what its rows are.
        group: of the asset in Dagster.
        job: the job with its ticks, which refreshes tables in the order of the registry.
        sources: the tables of `app` that it reads.
        changes: the tables, of `app` or derived, whose changes it follows; with an operation, only these changes;
            `histories` are the histories tables.
        rows: its rows.
        grain: its keys.
        propagates: whether a refresh logs the conversations that it changed for the tables that follow. A table that
            logs other keys has a `propagate.sql`.
        prepare: called in each chunk before it compares, with a connection and whether to recompute everything; returns
            how many rows of its own tables it changed.
        prepare_few: the same for a few keys, with a connection, the query that returns them and its parameters; returns
            the parameters of its `given.sql`.

    """

    name: str
    description: str
    group: str
    job: str
    sources: tuple[str, ...]
    changes: tuple[str, ...]
    rows: Target
    grain: Grain = CONVERSATIONS
    propagates: bool = False
    prepare: Callable[[Connection, bool], int] | None = None
    prepare_few: Callable[[Connection, sql.Composable, Mapping[str, object]], dict[str, object]] | None = None

    @property
    def target(self) -> str:
        """The relation that the asset stands for, as `schema.table`."""
        return self.rows.relation

    def own(self, statement: str) -> str | None:
        """Return the statement of its own folder with this name, if there is one."""
        return name if exists(name := f"tables/{self.name}/{statement}") else None

    @property
    def is_read_per_crew(self) -> bool:
        """Whether its rows are of crews, each of which has its own source table."""
        return self.own("messages") is not None

    @property
    def statements(self) -> tuple[str, ...]:
        """Its own statements; that of its rows first."""
        return tuple(name for step in ("rows", "propagate", "keys", "window") if (name := self.own(step)))

    @property
    def retry_source(self) -> str:
        """The source under which it logs retries for its next tick."""
        return f"{self.name} retry"

    @property
    def follows(self) -> tuple[str, ...]:
        """The sources that it reads from the log."""
        return (*self.changes, self.retry_source)


HISTORIES_SESSIONS = DerivedTable(
    "histories_sessions",
    "One row per crew, session and UTC day with messages: counts and times, as partial aggregates.",
    group="sessions",
    job="conversation_discovery",
    sources=("crews",),
    changes=("histories",),
    rows=Target(
        "analytics.histories_sessions",
        key=("crew_id", "session_id", "activity_date"),
        parents=(("crew_id", "crews"),),
    ),
    grain=SESSION_DAYS,
)
CREW_CONVERSATIONS = DerivedTable(
    "crew_conversations",
    "The rows of app.conversations that stand for crews' sessions: inserted where missing, never changed.",
    group="conversations",
    job="conversation_discovery",
    sources=("crews", "conversations"),
    changes=(
        "histories_sessions",
        *(f"conversations {operation}" for operation in ("update", "delete", "truncate", "everything")),
    ),
    rows=Target(
        "app.conversations",
        key=("crew_id", "session_id"),
        updated_at_column=None,
        parents=(("crew_id", "crews"), ("client_id", "clients")),
        inserted=("id", "channel", "external_id", "client_id", "crew_id", "session_id", "started_at"),
    ),
    grain=SESSIONS,
)
CONVERSATION_SUMMARIES = DerivedTable(
    "conversation_summaries",
    "One row per conversation with messages: counts by direction, start and end, time to the first answer.",
    group="conversations",
    job="conversation_discovery",
    sources=("crews", "conversations", "messages", "message_recipients"),
    changes=("conversations", "messages", "message_recipients", "histories_sessions", "crews"),
    rows=Target(
        "analytics.conversation_summaries",
        key=("conversation_id",),
        parents=(("conversation_id", "conversations"),),
    ),
    propagates=True,
)
CONVERSATION_DAYS = DerivedTable(
    "conversation_days",
    "What happened in each conversation of a client on each UTC day: partial aggregates for client_activity_daily.",
    group="activity",
    job="conversation_discovery",
    sources=("messages",),
    changes=("conversations", "conversation_summaries", "histories_sessions", "messages"),
    rows=Target(
        "analytics.conversation_days",
        key=("conversation_id", "activity_date", "client_id"),
    ),
    grain=SUMMARIZED_CONVERSATIONS,
)
CREW_ACTIVITY_DAILY = DerivedTable(
    "crew_activity_daily",
    "What each crew did on each UTC day: sessions, messages, the median time to the first answer.",
    group="activity",
    job="conversation_discovery",
    sources=("crews",),
    changes=("histories_sessions", "crews"),
    rows=Target(
        "analytics.crew_activity_daily",
        key=("crew_id", "activity_date"),
        parents=(("crew_id", "crews"),),
    ),
    grain=CREW_DAYS,
)
CLIENT_ACTIVITY_DAILY = DerivedTable(
    "client_activity_daily",
    "What happened in each client's conversations on each UTC day: counts, and times to the first answer.",
    group="activity",
    job="conversation_discovery",
    sources=("clients",),
    changes=("conversation_days", "clients"),
    rows=Target(
        "analytics.client_activity_daily",
        key=("client_id", "activity_date"),
        parents=(("client_id", "clients"),),
    ),
    grain=CLIENT_DAYS,
)
PARTICIPANT_RESOLUTIONS = DerivedTable(
    "participant_resolutions",
    "The person of each contact method: set by the application, decided by hand, or matched by identifier.",
    group="participants",
    job="link_sync",
    sources=("people", "contact_methods", "conversations"),
    changes=("people", "contact_methods", "participant_decisions", "conversations"),
    rows=Target(
        "analytics.participant_resolutions",
        key=("contact_method_id",),
        updated_at_column="resolved_at",
        parents=(("contact_method_id", "contact_methods"), ("person_id", "people")),
    ),
    grain=IDENTIFIER_SOURCES,
    prepare=participants.prepare,
    prepare_few=participants.prepare_few,
)
PEOPLE_CONVERSATIONS = DerivedTable(
    "people_conversations",
    "The people in each conversation: those of its recipients, in any role, and the person its session id names.",
    group="links",
    job="link_sync",
    sources=("crews", "people", "conversations", "messages", "message_recipients"),
    changes=("conversations", "messages", "message_recipients", "participant_resolutions", "people", "crews"),
    rows=Target(
        "analytics.people_conversations",
        key=("person_id", "conversation_id"),
        updated_at_column="updated_at",
        parents=(("person_id", "people"), ("conversation_id", "conversations")),
    ),
)
CLIENTS_CONVERSATIONS = DerivedTable(
    "clients_conversations",
    "The clients of each conversation: its own, and those of its people; with the columns that pages are sorted by.",
    group="links",
    job="link_sync",
    sources=("clients", "crews", "people", "conversations", "messages"),
    changes=("conversations", "people_conversations", "people", "crews", "clients"),
    rows=Target(
        "analytics.clients_conversations",
        key=("client_id", "conversation_id"),
        updated_at_column="updated_at",
        parents=(("client_id", "clients"), ("conversation_id", "conversations")),
    ),
)
PROJECT_CONVERSATIONS = DerivedTable(
    "project_conversations",
    "The project that each conversation names, since when, and the user to whom it belonged then.",
    group="links",
    job="link_sync",
    sources=("conversations", "projects", "users"),
    changes=("conversations", "projects", "users"),
    rows=Target(
        "analytics.project_conversations",
        key=("conversation_id",),
        updated_at_column=None,
        parents=(("conversation_id", "conversations"), ("project_id", "projects"), ("added_by", "users")),
    ),
    propagates=True,
)
PROJECT_LINK_INCONSISTENCIES = DerivedTable(
    "project_link_inconsistencies",
    "Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id.",
    group="links",
    job="link_sync",
    sources=("conversations", "projects"),
    changes=("projects", "conversations", "project_conversations"),
    rows=Target(
        "analytics.project_link_inconsistencies",
        key=("project_id", "conversation_id", "kind"),
        updated_at_column="last_seen_at",
        parents=(("project_id", "projects"),),
        is_found_again=True,
    ),
    grain=PROJECTS,
)

PERSONAL_COLUMNS = {"example", "external_id", "name", "session_id", "subject", "value"}
"""Columns that may hold personal data: neither Dagster nor the lake gets them, unless a setting says so."""
WITH_PERSONAL_DATA = (HISTORIES_SESSIONS, CREW_CONVERSATIONS, CONVERSATION_SUMMARIES)
"""The tables with such a column. The others name persons by their ids only, or nobody."""

DERIVED_TABLES = (
    HISTORIES_SESSIONS,
    CREW_CONVERSATIONS,
    CONVERSATION_SUMMARIES,
    CONVERSATION_DAYS,
    CREW_ACTIVITY_DAILY,
    CLIENT_ACTIVITY_DAILY,
    PARTICIPANT_RESOLUTIONS,
    PEOPLE_CONVERSATIONS,
    CLIENTS_CONVERSATIONS,
    PROJECT_CONVERSATIONS,
    PROJECT_LINK_INCONSISTENCIES,
)
"""Every derived table, those that others are derived from first."""
TABLES = {table.name: table for table in DERIVED_TABLES}
BOOKKEEPING = (
    "alerts",
    "crew_discovery_state",
    "deferred_indexes",
    "deleted_conversations",
    "latencies",
    "live_refreshes",
    "oddities",
    "refresh_state",
    "refused_conversations",
)
"""Tables with the state of the pipeline that operators may read."""
LINK_TABLES = (PEOPLE_CONVERSATIONS, CLIENTS_CONVERSATIONS, PROJECT_CONVERSATIONS)
"""The tables that clients sync by Zero, each from a conversation to its first parent."""


def followers(table: DerivedTable) -> list[DerivedTable]:
    """Return the tables that follow the changes of one, or of the application's table that it inserts rows into."""
    written = {table.name, table.rows.relation.removeprefix("app.")}
    return [
        other
        for other in DERIVED_TABLES
        if other is not table and written & {change.partition(" ")[0] for change in other.changes}
    ]


def tables_of(job: str) -> tuple[DerivedTable, ...]:
    """Return the tables that a job's ticks refresh."""
    return tuple(table for table in DERIVED_TABLES if table.job == job)


DISCOVERY = tables_of("conversation_discovery")
LINK_SYNC = tables_of("link_sync")
