"""What each crew did, day by day, as a table."""

from convo_pipelines.database.migrations import sql_files

revision = "0019_crew_activity_daily"
down_revision = "0018_conversation_days"
upgrade, downgrade = sql_files(__file__)
