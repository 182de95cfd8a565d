"""What happened for each client, day by day, as a table."""

from convo_pipelines.database.migrations import sql_files

revision = "0020_client_activity_daily"
down_revision = "0019_crew_activity_daily"
upgrade, downgrade = sql_files(__file__)
