"""Live: small refreshes by index, leases that are yielded, how long changes take to be visible."""

from convo_pipelines.database.migrations import sql_files

revision = "0035_live"
down_revision = "0034_capture"
upgrade, downgrade = sql_files(__file__)
