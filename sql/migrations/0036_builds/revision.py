"""Builds: two indexes of the log, built concurrently, and the indexes that wait for a build."""

from convo_pipelines.database.migrations import sql_files

revision = "0036_builds"
down_revision = "0035_live"
upgrade, downgrade = sql_files(__file__, concurrently=True)
