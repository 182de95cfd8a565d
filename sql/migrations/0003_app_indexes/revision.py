"""Indexes on the application's tables, built concurrently."""

from convo_pipelines.database.migrations import sql_files

revision = "0003_app_indexes"
down_revision = "0002_analytics_schema"
upgrade, downgrade = sql_files(__file__, concurrently=True)
