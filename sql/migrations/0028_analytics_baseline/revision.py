"""Everything that is derived, and decisions, as migrations 0002 to 0026 left it."""

from convo_pipelines.database.migrations import sql_files

revision = "0028_analytics_baseline"
down_revision = "0028_app_indexes"
upgrade, _ = sql_files(__file__)
_, downgrade = sql_files(__file__, concurrently=True)
