"""The reference `app` schema."""

from convo_pipelines.database.migrations import sql_files

revision = "0028_app_baseline"
down_revision = None
branch_labels = ("app",)
upgrade, downgrade = sql_files(__file__)
