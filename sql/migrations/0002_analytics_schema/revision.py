"""The `analytics` schema: sessions, summaries and the state of the ticks."""

from convo_pipelines.database.migrations import sql_files

revision = "0002_analytics_schema"
down_revision = None
branch_labels = ("analytics",)
upgrade, downgrade = sql_files(__file__)
