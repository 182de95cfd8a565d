"""The jobs, by the names that schedules and operators use."""

import dagster as dg

from convo_pipelines.assets.conversation_summaries import conversation_summaries
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.checks.health import health_checks

conversation_discovery = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType]
    "conversation_discovery",
    dg.AssetSelection.assets(histories_sessions, crew_conversations, conversation_summaries).without_checks()
    | dg.AssetSelection.checks(*health_checks),
    description="Histories tables to sessions, conversations and summaries; the full-scan checks are not part of it.",
)
