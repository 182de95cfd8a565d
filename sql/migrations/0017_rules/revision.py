"""Who holds an identifier, and who is in a conversation and why: each once, as a view."""

from convo_pipelines.database.migrations import sql_files

revision = "0017_rules"
down_revision = "0016_leads_and_customers"
upgrade, downgrade = sql_files(__file__)
