"""A column and indexes on the application's tables, built concurrently."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from convo_pipelines.database.migrations import sql_files

revision = "0028_app_indexes"
down_revision = None
branch_labels = ("analytics",)
build, downgrade = sql_files(__file__, concurrently=True)
build_on_arrays, _ = sql_files(str(Path(__file__).parent / "arrays" / "migration.sql"), concurrently=True)


def upgrade() -> None:
    """Build the indexes; the one on projects' arrays only if the application still has that column."""
    build()
    if any(column["name"] == "conversation_ids" for column in sa.inspect(op.get_bind()).get_columns("projects", "app")):
        build_on_arrays()
