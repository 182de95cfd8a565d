"""Histories tables of new crews are captured many at once, in time that does not grow with the number of crews."""

from convo_pipelines.database.migrations import sql_files

revision = "0040_many_crews"
down_revision = "0039_lake"
upgrade, downgrade = sql_files(__file__)
