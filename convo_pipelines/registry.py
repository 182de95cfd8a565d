"""The derived tables: what each is called, what it reads and whose changes, and the rows it keeps right.

A table's statements bear its name: `sql/keys/<name>.sql` chooses the keys of a scope, `sql/refresh/<name>.sql` compares
their rows with what they should be.
"""

from dataclasses import dataclass

from convo_pipelines.statements import exists


@dataclass(frozen=True)
class Target:
    """The rows that a refresh makes right.

    Attributes:
        relation: where they are, as `schema.table`.
        key: the columns that name a row.
        values: its other columns, but those with a default.
        touched: the column that says when a row was last written, if there is one.
        parents: the columns that refer to a table of the application, and which.
        again: how a row that somebody has locked is logged for the next tick: the statement in `sql/again/`, and the
            column that holds its key; None: whoever refreshes it sees to that.

    """

    relation: str
    key: tuple[str, ...]
    values: tuple[str, ...] = ()
    touched: str | None = "refreshed_at"
    parents: tuple[tuple[str, str], ...] = ()
    again: tuple[str, str] | None = ("conversations", "conversation_id")

    @property
    def is_insert_only(self) -> bool:
        """Whether its rows are never updated or deleted."""
        return not self.values and self.touched is None


@dataclass(frozen=True)
class DerivedTable:
    """One table that is kept by `refresh(scope)`.

    Attributes:
        name: of the asset, its statements and its watermark.
        description: what its rows are.
        group: where Dagster shows it.
        job: whose ticks refresh it, in the order of the registry.
        sources: the tables of `app` that it reads.
        changes: the tables whose changes it reads, or of which only an operation: of `app`, or derived ones;
            `histories` are the histories tables.
        rows: what it keeps right.
        keyed_by: the columns of its keys, and those of its rows that hold them; none: they name no rows.
        all_keys: the statement in `sql/keys/` that goes through all of its keys.
        asked_keys: the statement in `sql/keys/` that chooses those of crews' sessions somebody asks for.
        has_days: whether a window of days says which keys to refresh; else a backfill refreshes everything.

    """

    name: str
    description: str
    group: str
    job: str
    sources: tuple[str, ...]
    changes: tuple[str, ...]
    rows: Target
    keyed_by: tuple[tuple[str, str], ...] = (("id", "conversation_id"),)
    all_keys: str = "every_conversation"
    asked_keys: str = "asked_conversations"
    has_days: bool = True

    @property
    def target(self) -> str:
        """The relation that the asset stands for, as `schema.table`."""
        return self.rows.relation

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements that are its own, that which says what its rows should be first."""
        return tuple(name for step in ("refresh", "pass_on", "keys") if exists(name := f"{step}/{self.name}"))

    @property
    def again(self) -> str:
        """The source under which it logs what it leaves for its next tick."""
        return f"{self.name} retry"

    @property
    def follows(self) -> tuple[str, ...]:
        """The sources of the log that it reads."""
        return (*self.changes, self.again)


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
        values=(
            "message_count", "human_count", "ai_count", "first_message_at", "last_message_at", "first_human_at",
            "first_ai_at", "first_response_at", "archived_at",
        ),
        parents=(("crew_id", "crews"),),
        again=None,
    ),
    keyed_by=(("crew_id", "crew_id"), ("session_id", "session_id"), ("start_day", "activity_date")),
)  # fmt: skip
CREW_CONVERSATIONS = DerivedTable(
    "crew_conversations",
    "The rows of app.conversations that stand for crews' sessions: inserted where missing, never changed.",
    group="conversations",
    job="conversation_discovery",
    sources=("crews", "conversations"),
    changes=("histories_sessions", "conversations update", "conversations delete", "conversations truncate"),
    rows=Target(
        "app.conversations",
        key=("crew_id", "session_id"),
        touched=None,
        parents=(("crew_id", "crews"), ("client_id", "clients")),
        again=("sessions", "session_id"),
    ),
    keyed_by=(("crew_id", "crew_id"), ("session_id", "session_id")),
    all_keys="every_session",
    asked_keys="asked_sessions",
)
CONVERSATION_SUMMARIES = DerivedTable(
    "conversation_summaries",
    "One row per conversation with messages: how many, by whom, from when to when, how fast the first answer.",
    group="conversations",
    job="conversation_discovery",
    sources=("crews", "conversations", "messages", "message_recipients"),
    changes=("conversations", "messages", "message_recipients", "histories_sessions", "crews"),
    rows=Target(
        "analytics.conversation_summaries",
        key=("conversation_id",),
        values=(
            "source", "channel", "client_id", "crew_id", "session_id", "project_id", "lead_id", "customer_id",
            "message_count", "inbound_count", "outbound_count", "participant_count", "started_at", "ended_at",
            "duration_seconds", "first_response_seconds", "closed_at",
        ),
        parents=(("conversation_id", "conversations"),),
    ),
)  # fmt: skip
CONVERSATION_DAYS = DerivedTable(
    "conversation_days",
    "What happened in each client's conversation on each UTC day: partial aggregates, for clients' days.",
    group="activity",
    job="conversation_discovery",
    sources=("messages",),
    changes=("conversations", "conversation_summaries", "histories_sessions", "messages"),
    rows=Target(
        "analytics.conversation_days",
        key=("conversation_id", "activity_date", "client_id"),
        values=("source", "message_count", "is_started", "is_closed", "first_response_seconds"),
    ),
    all_keys="every_summarized_conversation",
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
        values=(
            "crew_code", "crew_name", "client_id", "sessions", "messages", "human_messages", "ai_messages",
            "first_response_median_seconds",
        ),
        parents=(("crew_id", "crews"),),
        again=("days", "crew_id"),
    ),
    keyed_by=(("crew_id", "crew_id"), ("activity_date", "activity_date")),
    all_keys="every_crew_day",
)  # fmt: skip
CLIENT_ACTIVITY_DAILY = DerivedTable(
    "client_activity_daily",
    "What happened in each client's conversations on each UTC day: how many, and how fast the first answers.",
    group="activity",
    job="conversation_discovery",
    sources=("clients",),
    changes=("conversation_days", "clients"),
    rows=Target(
        "analytics.client_activity_daily",
        key=("client_id", "activity_date"),
        values=(
            "client_code", "sessions", "messages", "conversations_started", "conversations_closed",
            "first_response_median_seconds", "first_response_p90_seconds",
        ),
        parents=(("client_id", "clients"),),
        again=("days", "client_id"),
    ),
    keyed_by=(("client_id", "client_id"), ("activity_date", "activity_date")),
    all_keys="every_client_day",
)  # fmt: skip
PARTICIPANT_RESOLUTIONS = DerivedTable(
    "participant_resolutions",
    "Whose each contact method is: by the application's word, by decision, or the one person with that identifier.",
    group="participants",
    job="link_sync",
    sources=("people", "contact_methods", "conversations"),
    changes=("people", "contact_methods", "participant_decisions", "conversations"),
    rows=Target(
        "analytics.participant_resolutions",
        key=("contact_method_id",),
        values=("person_id", "status", "method", "confidence", "candidate_count"),
        touched="resolved_at",
        parents=(("contact_method_id", "contact_methods"), ("person_id", "people")),
        again=("identifiers", "contact_method_id"),
    ),
    keyed_by=(),
    all_keys="every_place",
    asked_keys="asked_places",
    has_days=False,
)
PEOPLE_CONVERSATIONS = DerivedTable(
    "people_conversations",
    "Who is in which conversation: the persons of its recipients, in any role, and whom a crew's session id names.",
    group="links",
    job="link_sync",
    sources=("crews", "people", "conversations", "messages", "message_recipients"),
    changes=("conversations", "messages", "message_recipients", "participant_resolutions", "people", "crews"),
    rows=Target(
        "analytics.people_conversations",
        key=("person_id", "conversation_id"),
        touched="updated_at",
        parents=(("person_id", "people"), ("conversation_id", "conversations")),
    ),
)
CLIENTS_CONVERSATIONS = DerivedTable(
    "clients_conversations",
    "Whose people or crew are in which conversation, and what its pages are sorted and filtered by.",
    group="links",
    job="link_sync",
    sources=("crews", "people", "conversations", "messages"),
    changes=("conversations", "people_conversations", "people", "crews"),
    rows=Target(
        "analytics.clients_conversations",
        key=("client_id", "conversation_id"),
        values=("channel", "crew_id", "project_id", "started_at", "closed_at"),
        touched="updated_at",
        parents=(("client_id", "clients"), ("conversation_id", "conversations")),
    ),
)
PROJECT_CONVERSATIONS = DerivedTable(
    "project_conversations",
    "The project each conversation names, since when, and by whose hand.",
    group="links",
    job="link_sync",
    sources=("conversations", "projects"),
    changes=("conversations",),
    rows=Target(
        "analytics.project_conversations",
        key=("conversation_id",),
        values=("project_id", "added_at", "added_by"),
        touched=None,
        parents=(("conversation_id", "conversations"), ("project_id", "projects"), ("added_by", "users")),
    ),
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
        values=("named_project_id",),
        touched="last_seen_at",
        parents=(("project_id", "projects"),),
    ),
    keyed_by=(("id", "project_id"),),
    all_keys="every_project",
    has_days=False,
)

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
BOOKKEEPING = (
    "alerts",
    "crew_discovery_state",
    "deleted_conversations",
    "oddities",
    "refresh_state",
    "webhook_refreshes",
)
"""Tables of our own that operators may read."""
LINK_TABLES = (PEOPLE_CONVERSATIONS, CLIENTS_CONVERSATIONS, PROJECT_CONVERSATIONS)
"""Those that clients sync by Zero, each from a conversation to the parent that it names first."""


def tables_of(job: str) -> tuple[DerivedTable, ...]:
    """Return the tables that a job's ticks refresh."""
    return tuple(table for table in DERIVED_TABLES if table.job == job)


DISCOVERY = tables_of("conversation_discovery")
LINKS = tables_of("link_sync")
