"""The roles of the pipeline, analysts, stewards and observers; optional."""

from convo_pipelines.database.migrations import grant, run_file, sql_files

revision = "0028_roles_baseline"
down_revision = None
branch_labels = ("roles",)
create, drop = sql_files(__file__)


def upgrade() -> None:
    """Create the roles, and give them what they own and read."""
    run_file(__file__, "conversations_table")
    create()
    run_file(__file__, "conversations_view")
    grant()


def downgrade() -> None:
    """Drop the roles."""
    run_file(__file__, "conversations_table")
    drop()
    run_file(__file__, "conversations_view")
