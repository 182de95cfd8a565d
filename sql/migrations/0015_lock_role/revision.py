"""convo_pipeline may lock the rows that its rows refer to."""

from convo_pipelines.database.migrations import sql_files

revision = "0015_lock_role"
down_revision = "0013_capture_role"
upgrade, downgrade = sql_files(__file__)
