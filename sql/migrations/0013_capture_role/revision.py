"""convo_pipeline may capture tables."""

from convo_pipelines.database.migrations import sql_files

revision = "0013_capture_role"
down_revision = "0008_roles"
upgrade, downgrade = sql_files(__file__)
