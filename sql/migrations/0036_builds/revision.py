"""Builds: deleted conversations are found by an index of the log, which is built concurrently."""

from convo_pipelines.database.migrations import sql_files

revision = "0036_builds"
down_revision = "0035_live"
upgrade, downgrade = sql_files(__file__, concurrently=True)
