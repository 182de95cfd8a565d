"""Indexes on the application's tables for the link tables, built concurrently."""

from convo_pipelines.migrations import sql_files

revision = "0005_link_indexes"
down_revision = "0004_links"
upgrade, downgrade = sql_files(__file__, concurrently=True)
