"""The roles of the pipeline, analysts, stewards and observers; optional."""

from convo_pipelines.database.migrations import grant, sql_files

revision = "0028_roles_baseline"
down_revision = None
branch_labels = ("roles",)
create, downgrade = sql_files(__file__)


def upgrade() -> None:
    """Create the roles, and give them what they own and read."""
    create()
    grant()
