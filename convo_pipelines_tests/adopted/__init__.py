"""Schemas of owners, and schema `app` as views over them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from convo_pipelines.sources import adoption
from convo_pipelines_tests.world import World

FOLDER = Path(__file__).parent
MOVE = """
alter table app.{table} set schema owner;
alter table owner.{table} add hidden boolean not null default false;
alter table owner.{table} rename {column} to "its {column}";
"""
COLUMNS = """
select attname as name from pg_attribute
where attrelid = 'owner.{table}'::regclass and attnum > 0 and not attisdropped and attname <> 'hidden'
order by attname
"""
TABLES = """
select relname as name from pg_class
where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') and relname not like 'schema_migration%'
order by oid
"""


def install(world: World, text: str) -> list[str]:
    """Install a file of views; return why any of them is not captured."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "views.sql"
        file.write_text(text)
        adopted = adoption.install(world.warehouse, file)
    return [f"{view.table_name}: {view.remark}" for view in adopted if view.remark]


def renamed(table: str) -> str:
    """Return the column that has another name in the owner's table."""
    return "session_id" if table.startswith("histories") else "created_at"


def move_to_owner(world: World) -> None:
    """Move all tables of `app` to an owner's schema, with a column renamed and another that hides rows."""
    for view in adoption.views_of_ours():
        world.execute(f"drop view if exists {view} cascade")
    tables = [row["name"] for row in world.execute(TABLES)]
    world.execute("create schema if not exists owner")
    text: list[str] = []
    for table in tables:
        world.execute(MOVE.format(table=table, column=renamed(table)))
        names = [row["name"] for row in world.execute(COLUMNS.format(table=table))]
        shown = ", ".join(f'"{name}" as {name.removeprefix("its ")}' for name in names)
        text.append(f"create or replace view app.{table} as select {shown} from owner.{table} where not hidden;")
    world.execute("drop table app.schema_migrations, app.schema_migration_checksums")
    assert not install(world, "\n".join(text))
