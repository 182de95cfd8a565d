"""Alerts that have ended are kept for a year; how long changes wait is counted from the application's write."""

from convo_pipelines.database.migrations import sql_files

revision = "0031_alerts"
down_revision = "0030_edges"
upgrade, downgrade = sql_files(__file__)
