"""Conversations of the crews' sessions, and one summary row per conversation."""

from convo_pipelines.assets.common import table_asset
from convo_pipelines.assets.histories_sessions import histories_sessions
from convo_pipelines.registry import CONVERSATION_SUMMARIES, CREW_CONVERSATIONS

crew_conversations = table_asset(
    CREW_CONVERSATIONS,
    "conversations",
    "The rows of app.conversations that stand for crews' sessions: inserted where missing, never changed.",
    deps=[histories_sessions],
)

conversation_summaries = table_asset(
    CONVERSATION_SUMMARIES,
    "conversations",
    "One row per conversation with messages: how many, by whom, from when to when, how fast the first answer.",
    deps=[
        histories_sessions, crew_conversations, ["app", "conversations"], ["app", "messages"],
        ["app", "message_recipients"], ["app", "crews"],
    ],
)  # fmt: skip
