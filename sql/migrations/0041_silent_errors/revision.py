"""What was silently wrong is named or right: archive by partition, rights, times, crews that share a table."""

from convo_pipelines.database.migrations import sql_files

revision = "0041_silent_errors"
down_revision = "0040_many_crews"
upgrade, downgrade = sql_files(__file__)
