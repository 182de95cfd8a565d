"""Who decides whose contact methods are, and who reads analytics without names."""

from convo_pipelines.database.migrations import sql_files

revision = "0027_stewards_and_observers"
down_revision = "0015_lock_role"
upgrade, downgrade = sql_files(__file__)
