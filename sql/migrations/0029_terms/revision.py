"""Columns, log entries and parameters get the names that the field uses."""

from convo_pipelines.database.migrations import sql_files

revision = "0029_terms"
down_revision = "0028_analytics_baseline"
upgrade, downgrade = sql_files(__file__)
