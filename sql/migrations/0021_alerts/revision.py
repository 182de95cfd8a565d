"""What somebody has been told, and has still to be told."""

from convo_pipelines.database.migrations import sql_files

revision = "0021_alerts"
down_revision = "0020_client_activity_daily"
upgrade, downgrade = sql_files(__file__)
