"""The derived tables: what each is called, and whose changes it reads.

A table's statements bear its name: `sql/keys/<name>.sql` chooses the keys of a scope, `sql/refresh/<name>.sql` makes
their rows right.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DerivedTable:
    """One table that is kept by `refresh(scope)`.

    Attributes:
        name: of the asset, its statements and its watermark.
        follows: the tables whose changes it reads, or of which only an operation: of `app`, or derived ones;
            `histories` are the histories tables.
        all_keys: the statement in `sql/keys/` that goes through all of its keys.
        has_days: whether a window of days says which keys to refresh; else a backfill refreshes everything.
        is_narrowed: whether it can be narrowed to some crews.
        relation: where its rows are.

    """

    name: str
    follows: tuple[str, ...]
    all_keys: str = "every_conversation"
    has_days: bool = True
    is_narrowed: bool = False
    relation: str = ""

    @property
    def target(self) -> str:
        """The relation, as `schema.table`."""
        return self.relation or f"analytics.{self.name}"


HISTORIES_SESSIONS = DerivedTable("histories_sessions", ("histories",), is_narrowed=True)
CREW_CONVERSATIONS = DerivedTable(
    "crew_conversations",
    ("histories_sessions", "conversations update", "conversations delete", "conversations truncate"),
    all_keys="every_session",
    is_narrowed=True,
    relation="app.conversations",
)
CONVERSATION_SUMMARIES = DerivedTable(
    "conversation_summaries",
    ("conversations", "messages", "message_recipients", "histories_sessions", "crews"),
    is_narrowed=True,
)
PARTICIPANT_RESOLUTIONS = DerivedTable(
    "participant_resolutions",
    ("people", "contact_methods", "conversations", "crews"),
    all_keys="every_place",
    has_days=False,
)
PEOPLE_CONVERSATIONS = DerivedTable(
    "people_conversations",
    ("conversations", "messages", "message_recipients", "participant_resolutions", "people", "crews"),
)
CLIENTS_CONVERSATIONS = DerivedTable(
    "clients_conversations", ("conversations", "people_conversations", "people", "crews")
)
PROJECT_CONVERSATIONS = DerivedTable("project_conversations", ("conversations",))
PROJECT_LINK_INCONSISTENCIES = DerivedTable(
    "project_link_inconsistencies",
    ("projects", "conversations", "project_conversations"),
    all_keys="every_project",
    has_days=False,
)

DISCOVERY = (HISTORIES_SESSIONS, CREW_CONVERSATIONS, CONVERSATION_SUMMARIES)
LINKS = (
    PARTICIPANT_RESOLUTIONS,
    PEOPLE_CONVERSATIONS,
    CLIENTS_CONVERSATIONS,
    PROJECT_CONVERSATIONS,
    PROJECT_LINK_INCONSISTENCIES,
)
DERIVED_TABLES = (*DISCOVERY, *LINKS)
LINK_TABLES = (PEOPLE_CONVERSATIONS, CLIENTS_CONVERSATIONS, PROJECT_CONVERSATIONS)
