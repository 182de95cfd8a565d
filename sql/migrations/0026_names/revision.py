"""Names, leads and customers for analysts."""

from convo_pipelines.database.migrations import sql_files

revision = "0026_names"
down_revision = "0025_participants"
upgrade, downgrade = sql_files(__file__)
