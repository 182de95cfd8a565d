"""Indexes on the application's tables for the link tables, built concurrently."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from convo_pipelines.database.migrations import sql_files

revision = "0005_link_indexes"
down_revision = "0004_links"
build, downgrade = sql_files(__file__, concurrently=True)
build_on_arrays, _ = sql_files(str(Path(__file__).parent / "arrays" / "migration.sql"), concurrently=True)


def upgrade() -> None:
    """Build them, that on projects' arrays only where the application has not dropped these."""
    build()
    if any(column["name"] == "conversation_ids" for column in sa.inspect(op.get_bind()).get_columns("projects", "app")):
        build_on_arrays()
