"""Views for the questions everybody asks."""

from convo_pipelines.database.migrations import sql_files

revision = "0009_analyst_views"
down_revision = "0007_conversation_lifecycle"
upgrade, downgrade = sql_files(__file__)
