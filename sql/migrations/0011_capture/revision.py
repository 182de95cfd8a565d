"""Triggers that write the change log; the rollback takes them off table by table, each in a transaction of its own."""

from convo_pipelines.database.migrations import sql_files

revision = "0011_capture"
down_revision = "0010_change_log"
upgrade, downgrade = sql_files(__file__, concurrently=True)
