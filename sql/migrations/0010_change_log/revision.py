"""The change log, and snapshots in place of watermarks."""

from convo_pipelines.database.migrations import sql_files

revision = "0010_change_log"
down_revision = "0009_analyst_views"
upgrade, downgrade = sql_files(__file__)
