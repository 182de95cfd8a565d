"""Clients are linked to all of their conversations; analysts read subjects and contact methods."""

from convo_pipelines.database.migrations import sql_files

revision = "0032_analysts"
down_revision = "0031_alerts"
upgrade, downgrade = sql_files(__file__)
