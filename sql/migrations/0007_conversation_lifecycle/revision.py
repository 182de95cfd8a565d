"""Lifecycle and integrity of the conversations themselves; indexes built concurrently."""

from convo_pipelines.database.migrations import sql_files

revision = "0007_conversation_lifecycle"
down_revision = "0006_pending_transactions"
upgrade, downgrade = sql_files(__file__, concurrently=True)
