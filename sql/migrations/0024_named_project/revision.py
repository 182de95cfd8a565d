"""Inconsistencies name the conversation's project, and projects may do without arrays."""

from convo_pipelines.database.migrations import sql_files

revision = "0024_named_project"
down_revision = "0023_client_pages"
upgrade, downgrade = sql_files(__file__)
