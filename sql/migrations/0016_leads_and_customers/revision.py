"""Summaries name the lead and the customer."""

from convo_pipelines.database.migrations import sql_files

revision = "0016_leads_and_customers"
down_revision = "0014_odd_rows_and_locks"
upgrade, downgrade = sql_files(__file__)
