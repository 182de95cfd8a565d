"""Decisions on identifiers, unknown sessions, and when and by whom a conversation was added to its project."""

from convo_pipelines.database.migrations import sql_files

revision = "0033_decisions"
down_revision = "0032_analysts"
upgrade, downgrade = sql_files(__file__)
