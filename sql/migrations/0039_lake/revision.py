"""The lake: the days whose rows changed, of the tables that it follows."""

from convo_pipelines.database.migrations import sql_files

revision = "0039_lake"
down_revision = "0038_hidden_rows"
upgrade, downgrade = sql_files(__file__)
