"""Odd rows are counted, not stumbled over; what the application has locked is left for later."""

from convo_pipelines.database.migrations import sql_files

revision = "0014_odd_rows_and_locks"
down_revision = "0012_fewer_indexes"
upgrade, downgrade = sql_files(__file__)
