"""A statement that changes one row is logged without arrays; a log that cannot be written stops no writer."""

from convo_pipelines.database.migrations import sql_files

revision = "0034_capture"
down_revision = "0033_decisions"
upgrade, downgrade = sql_files(__file__)
