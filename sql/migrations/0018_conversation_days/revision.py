"""What happened in each client's conversations, day by day; the log tells of clients, crews and days."""

from convo_pipelines.database.migrations import sql_files

revision = "0018_conversation_days"
down_revision = "0017_rules"
upgrade, downgrade = sql_files(__file__)
