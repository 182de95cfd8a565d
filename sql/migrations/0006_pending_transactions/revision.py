"""The transactions that watermarks wait for."""

from convo_pipelines.database.migrations import sql_files

revision = "0006_pending_transactions"
down_revision = "0005_link_indexes"
upgrade, downgrade = sql_files(__file__)
