"""Schemas of owners, and schema `app` as views over them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from convo_pipelines.sources.adoption import creation, installation
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World

FOLDER = Path(__file__).parent
VIEWS = (FOLDER / "shop_views.sql").read_text()
"""Schema `app` as views over the shop's tables."""
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
        adopted = installation.install(world.warehouse, file)
    return [f"{view.table_name}: {view.remark}" for view in adopted if view.remark]


def renamed(table: str) -> str:
    """Return the column that has another name in the owner's table."""
    return "session_id" if table.startswith("histories") else "created_at"


def move_to_owner(world: World) -> None:
    """Move all tables of `app` to an owner's schema, with a column renamed and another that hides rows."""
    for view in creation.views_of_ours():
        world.execute(f"drop view if exists {view} cascade")
    tables = [row["name"] for row in world.execute(TABLES)]
    world.execute("create schema if not exists owner")
    text: list[str] = []
    for table in tables:
        world.execute(MOVE.format(table=table, column=renamed(table)))
        names = [row["name"] for row in world.execute(COLUMNS.format(table=table))]
        shown = ", ".join(f'"{name}" as {name.removeprefix("its ")}' for name in names)
        text.append(f"create or replace view app.{table} as select {shown} from owner.{table} where not hidden;")
    world.execute("drop table app.schema_migrations, app.schema_migration_code")
    assert not install(world, "\n".join(text))


def fill_shop(world: World) -> None:
    """Make the shop's tables, with rows."""
    for name in ("shop", "shop_rows"):
        world.execute((FOLDER / f"{name}.sql").read_text())


def adopt_shop(world: World) -> None:
    fill_shop(world)
    assert install(world, VIEWS) == []


def refresh(world: World) -> None:
    world.tick()
    world.sync()


def assert_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


def modes(world: World) -> dict[str, str | None]:
    """The sources that are not captured, and why."""
    rows = world.execute("select table_name, mode, remark from analytics.capture_state")
    return {row["table_name"]: row["remark"] for row in rows if row["mode"] != "captured"}
