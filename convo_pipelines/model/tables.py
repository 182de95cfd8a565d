"""The derived tables that are named in Python, and the jobs that refresh them."""

from convo_pipelines.engine.registry import TABLES, tables_of

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
DISCOVERY = tables_of("conversation_discovery")
LINK_SYNC = tables_of("link_sync")
