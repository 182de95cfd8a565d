"""What the webhook did, for Dagster."""

from convo_pipelines.database.migrations import sql_files

revision = "0022_webhook"
down_revision = "0021_alerts"
upgrade, downgrade = sql_files(__file__)
