"""The reference `app` schema."""

from convo_pipelines.database.migrations import sql_files

revision = "0001_app_schema"
down_revision = None
branch_labels = ("app",)
upgrade, downgrade = sql_files(__file__)
