"""Adoption: keys as uuids, and views that are captured on the tables beneath."""

from convo_pipelines.database.migrations import sql_files

revision = "0037_adoption"
down_revision = "0036_builds"
upgrade, downgrade = sql_files(__file__)
