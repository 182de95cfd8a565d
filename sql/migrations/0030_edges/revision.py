"""Exact at the edges: names instead of oids, deletions by snapshot, crashes, refused rows."""

from convo_pipelines.database.migrations import sql_files

revision = "0030_edges"
down_revision = "0029_terms"
upgrade, downgrade = sql_files(__file__)
