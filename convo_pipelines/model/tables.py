"""The derived tables that are named in Python, and the jobs that refresh them."""

from convo_pipelines.database.declarations import logs, tables
from convo_pipelines.engine.registry import Registry

REGISTRY = Registry(tables(), logs())
"""The tables of `sql/tables/`."""
TABLES = REGISTRY.tables
DERIVED_TABLES = tuple(REGISTRY)
LINK_TABLES = tuple(table for table in DERIVED_TABLES if table.is_link)
"""The tables that Zero syncs, each from a conversation to its first parent."""
HISTORIES_SESSIONS = TABLES["histories_sessions"]
CREW_CONVERSATIONS = TABLES["crew_conversations"]
PARTICIPANT_RESOLUTIONS = TABLES["participant_resolutions"]
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
DISCOVERY = REGISTRY.of_job("conversation_discovery")
LINK_SYNC = REGISTRY.of_job("link_sync")
