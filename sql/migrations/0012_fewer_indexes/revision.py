"""The application pays for no index that only watermarks read."""

from convo_pipelines.database.migrations import sql_files

revision = "0012_fewer_indexes"
down_revision = "0011_capture"
upgrade, downgrade = sql_files(__file__, concurrently=True)
