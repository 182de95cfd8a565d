"""Sessions' rows that leave a view are told from those that an update changes beside them."""

from convo_pipelines.database.migrations import sql_files

revision = "0038_hidden_rows"
down_revision = "0037_adoption"
upgrade, downgrade = sql_files(__file__)
