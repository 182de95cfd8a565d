"""A contact method that persons of several clients have; and what people decide by hand."""

from convo_pipelines.database.migrations import sql_files

revision = "0025_participants"
down_revision = "0024_named_project"
upgrade, downgrade = sql_files(__file__)
