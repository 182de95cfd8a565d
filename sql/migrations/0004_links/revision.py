"""Resolutions, the link tables and the views they are refreshed by."""

from convo_pipelines.database.migrations import sql_files

revision = "0004_links"
down_revision = "0003_app_indexes"
upgrade, downgrade = sql_files(__file__)
