"""The application may name its tables, columns and functions as the statements name theirs."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Server, both_servers_if_wide
from convo_pipelines_tests.world import LINKS, PIPELINE, World, at

TEMPORARY = ("diff", "keys", "normalized", "places", "touched_identifiers")
NOT_THEIRS = {"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin", "closed_at"}
"""What no table may have a column of that name for; and the one that we add to app.conversations."""


def words() -> set[str]:
    """Every name in the statements."""
    found: set[str] = set()
    for file in (ROOT / "sql").rglob("*.sql"):
        if {"engine", "model", "orchestration", "serving", "tables"} & {*file.parts}:
            found |= set(re.findall(r"\b[a-z][a-z_]+\b", re.sub("--.*", "", file.read_text())))
    return found - NOT_THEIRS


def add_columns(world: World) -> None:
    """Give every table of app a column for each word that it does not have yet."""
    for row in world.execute(
        "select relname as name, array_agg(attname::text) as columns from pg_class "
        "join pg_attribute on attrelid = pg_class.oid "
        "where relnamespace = 'app'::regnamespace and relkind = 'r' and relname not like 'schema_migration%' "
        "group by relname"
    ):
        added = [sql.SQL("add {} text").format(sql.Identifier(word)) for word in words() - set(row["columns"])]
        if added:
            world.connection.execute(
                sql.SQL("alter table app.{} {}").format(sql.Identifier(row["name"]), sql.SQL(", ").join(added))
            )


def fill(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
    add_columns(world)
    for crew in "AB":
        for kind, hour in (("human", 9), ("ai", 10)):
            world.say("4915112345678", kind, at(0, hour), crew)
    ana = world.person(email="ana@example.com", phone="+4915112345678")
    talk = world.conversation(project_id=world.project(), closed_at=at(1))
    world.message(talk, "outbound", at(0, 10))
    world.address(talk, world.contact("ana@example.com", ana))
    world.address(world.conversation(started_at=at()), world.contact("ben@example.com"))


def assert_exact(world: World) -> None:
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


@pytest.fixture
def named_alike(server: Server) -> Iterator[World]:
    """A database whose application has columns with every name that the statements use."""
    url = server.create()
    upgrade.up(("app",), url)
    world = World(Warehouse(url))
    add_columns(world)
    upgrade.up(url=url)
    yield world
    world.close()


@both_servers_if_wide
@pytest.mark.wide
def test_columns_named_like_ours(named_alike: World) -> None:
    fill(named_alike)
    assert_exact(named_alike)
    for change in (
        "update app.conversations set closed_at = null",
        "update app.people set phone = '+4930123456'",
        "delete from app.message_recipients",
        "delete from app.histories_a",
        "update app.crews set crew_code = 'Z' where crew_code = 'B'",
    ):
        named_alike.execute(change)
    assert_exact(named_alike)
    named_alike.backfill(at().date(), at(1).date(), PIPELINE + LINKS)
    assert named_alike.reconcile().drift.changed == 0
    failed = [name for name, check in named_alike.checks().items() if not check.passed]
    assert set(failed) <= {
        "no_unresolved_participants",
        "projects_agree_with_their_arrays",
        "no_crew_conversations_without_session",
    }


@both_servers_if_wide
def test_tables_and_functions_named_like_ours(world: World) -> None:
    for name in TEMPORARY:
        world.execute(f"create table public.{name} (id uuid, x int)")
    world.execute(
        "create function public.to_char(date, text) returns text language sql as $$ select 'odd' $$; "
        "create function public.round(float8, int) returns numeric language sql as $$ select 0 $$"
    )
    database = world.connection.info.dbname
    world.execute(f"alter database {database} set search_path = app, public, pg_temp")
    with psycopg.connect(world.url) as connection:
        assert connection.execute("show search_path").fetchone() == ("app, public, pg_temp",)
    named = World(Warehouse(world.url))
    named.crew()
    for hour in (9, 10):
        named.say("s1", "human", at(0, hour))
    named.address(named.conversation(), named.contact("ana@example.com", named.person(email="ana@example.com")))
    assert_exact(named)
    named.say("s1", "ai", at(1))
    named.say("s2", "ai", at(1))
    assert_exact(named)
    assert named.reconcile().drift.changed == 0
    assert all(named.execute(f"select count(*) from public.{name}") == [{"count": 0}] for name in TEMPORARY)
    named.close()
