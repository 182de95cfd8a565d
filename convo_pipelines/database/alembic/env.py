"""Alembic's entry point: runs one line of migrations on the connection that it is given."""

from alembic import context

from convo_pipelines.database.migrations import VERSION_TABLE, record

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema=context.config.attributes["schema"],
    transaction_per_migration=True,
    on_version_apply=record,
)
with context.begin_transaction():
    context.run_migrations()
