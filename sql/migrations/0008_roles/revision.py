"""The roles of the pipeline and of analysts; optional."""

from convo_pipelines.database.migrations import sql_files

revision = "0008_roles"
down_revision = None
branch_labels = ("roles",)
upgrade, downgrade = sql_files(__file__)
