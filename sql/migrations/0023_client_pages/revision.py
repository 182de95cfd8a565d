"""A client's conversations by pages."""

from convo_pipelines.database.migrations import sql_files

revision = "0023_client_pages"
down_revision = "0022_webhook"
upgrade, downgrade = sql_files(__file__)
