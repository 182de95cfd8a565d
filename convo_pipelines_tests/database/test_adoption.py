"""A database at 0027 becomes one at the baseline, with what waits in it; any other is refused, and told the remedy."""

import logging
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import migrations
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.catalogs import ANALYTICS
from convo_pipelines_tests.conftest import ROOT, Server, both_servers, both_servers_if_wide
from convo_pipelines_tests.database.test_migrations import RIGHT, catalog
from convo_pipelines_tests.world import World, at

WITHOUT_ROLES, ROLES = (ROOT / "convo_pipelines_tests" / "schema_0027.sql").read_text().split("\n-- roles\n")
CREATE_ROLES = """
do $$
declare
    name text;
begin
    foreach name in array array['convo_pipeline', 'convo_analyst', 'convo_steward', 'convo_observer'] loop
        if to_regrole(name) is null then
            execute format('create role %I login', name);
        end if;
    end loop;
    execute format('grant convo_pipeline to %I', current_user);
    grant convo_analyst to convo_steward;
end
$$;
"""
log = logging.getLogger("test")


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["migrate", *arguments])


@pytest.fixture
def world(empty_database: str) -> Iterator[World]:
    """A database at 0027, without roles."""
    with psycopg.connect(empty_database) as connection:
        connection.execute(WITHOUT_ROLES)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


def tick(world: World) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(world.warehouse, table, log)


def add_roles(world: World) -> None:
    world.execute(CREATE_ROLES)
    world.execute(ROLES)
    world.execute("set search_path to default")


def give_app_away(world: World) -> None:
    """Make `app` the application's, with more in it than ours."""
    world.execute("drop table app.schema_migrations")
    world.execute("create table app.orders (id bigint); alter table app.messages add mood text")


def fill(world: World) -> UUID:
    """A small company; return a conversation with one linked person."""
    world.crew()
    world.say("s1", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    talk = world.conversation(project_id=world.project())
    world.address(talk, world.contact("ana@example.com", world.person(email="ana@example.com")))
    return talk


@pytest.mark.representatives(2)
@both_servers_if_wide
@pytest.mark.parametrize("lines", ["app analytics", "analytics roles", "app analytics roles", "analytics"])
def test_a_database_at_0027_is_adopted(world: World, lines: str) -> None:
    if "roles" in lines:
        add_roles(world)
    if "app" not in lines.split():
        give_app_away(world)
    fill(world)
    world.execute(
        "insert into analytics.alerts (source, kind, subject, found, remedy, told_at) "
        "values ('health', 'a', 'b', 'c', 'd', '2026-01-02')"
    )
    world.execute("insert into analytics.session_changes (table_oid, operation) values (1, 'unplaced')")
    assert "missing" not in (done := migrate("up", "--only", "analytics")).output, done.output
    assert done.exit_code == 0, done.output
    applied = {migration.name for migration in migrations.status() if migration.applied}
    assert applied == {
        *(["0028_app_baseline"] if "app" in lines.split() else []),
        *("0028_app_indexes", *ANALYTICS),
        *(["0028_roles_baseline"] if "roles" in lines else []),
    }
    assert migrate("validate").output == RIGHT
    assert migrate("up").exit_code == 0
    notified = world.execute("select notified_at::date::text as day from analytics.alerts")
    assert notified == [{"day": "2026-01-02"}]
    assert world.execute("select operation from analytics.session_changes where table_oid = 1") == [
        {"operation": "unusable"}
    ]
    tick(world)
    oracle.assert_right(world)
    oracle.assert_links_right(world)


@both_servers
def test_adopted_or_new_the_catalog_is_the_same(world: World, server: Server) -> None:
    assert migrate("up").exit_code == 0
    new = server.create()
    migrations.up(url=new)
    renamed = {"'conversation'::text,", "'conversation'::text AS text,"}  # a dump names what the view did not
    assert set(catalog(world.url)) ^ set(catalog(new)) <= renamed


def at_0027(world: World) -> None:
    """Take a database of today back to 0027, with its data: the rollbacks, and the records of before."""
    for name in reversed(ANALYTICS[1:]):
        assert migrate("down", "--yes").output.endswith(f"rolled back {name}\n")
    world.execute("drop table app.schema_migration_checksums, analytics.schema_migration_checksums")
    world.execute("update app.schema_migrations set version_num = '0001_app_schema'")
    world.execute("update analytics.schema_migrations set version_num = '0026_names'")


@pytest.fixture
def today(empty_database: str) -> Iterator[World]:
    migrations.up(url=empty_database)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


@both_servers_if_wide
@pytest.mark.wide
def test_what_waits_for_the_next_tick_still_does_after_the_adoption(today: World) -> None:
    talk = fill(today)
    tick(today)
    contact = today.execute("select id from app.contact_methods")[0]["id"]
    before = today.execute("select asset_key, snapshot::text from analytics.refresh_state order by 1")
    today.execute("alter table analytics.people_conversations disable trigger all")
    today.execute("delete from analytics.people_conversations")
    today.execute(
        "insert into analytics.conversation_changes (source, conversation_id, operation) "
        "values ('people_conversations retry', %s, 'update')",
        talk,
    )
    today.execute("alter table analytics.people_conversations enable trigger user")
    today.execute(
        "alter table analytics.people_conversations enable always trigger convo_pipelines_insert, "
        "enable always trigger convo_pipelines_delete"
    )
    today.execute("delete from analytics.participant_resolutions")
    today.execute(
        "insert into analytics.identifier_changes (source, id, operation) "
        "values ('participant_resolutions retry', %s, 'update')",
        contact,
    )
    today.say(None, "human", at(1))
    at_0027(today)
    assert {"people_conversations again"} <= {
        row["source"] for row in today.execute("select source from analytics.conversation_changes")
    }
    assert "unplaced" in {row["operation"] for row in today.execute("select operation from analytics.session_changes")}
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT
    assert today.execute("select asset_key, snapshot::text from analytics.refresh_state order by 1") == before
    tick(today)
    oracle.assert_right(today)
    oracle.assert_links_right(today)
    assert today.execute("select kind, rows from analytics.oddities") != []
    again = (
        "select from analytics.refresh_state where snapshot is null or array_to_string(follows, ',') like '% again%'"
    )
    assert today.execute(again) == []


@pytest.mark.wide
def test_a_database_that_was_restored_from_another_server_stays_recognizable(today: World) -> None:
    fill(today)
    tick(today)
    at_0027(today)
    today.execute("update analytics.refresh_state set written_by = '5'")
    assert migrate("up").exit_code == 0
    written = today.execute("select distinct written_by::text as by from analytics.refresh_state")
    assert written == [{"by": "5"}]


@both_servers_if_wide
def test_comments_of_an_edited_migration_are_renewed(world: World) -> None:
    world.execute("comment on table analytics.alerts is 'Of an older wording.'")
    world.execute("comment on column analytics.changes.xid is null")
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT


@pytest.mark.representatives(3)
@both_servers
@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        ("drop index analytics.session_changes_xid", "missing: index analytics.session_changes_xid"),
        ("alter table analytics.alerts add mine text", "unexpected: column analytics.alerts.mine"),
        (
            "alter function analytics.lock_parents security invoker",
            "different: function analytics.lock_parents(parent text, ids uuid[])",
        ),
        ("alter table app.messages drop column direction", "missing: column app.messages.direction"),
    ],
)
def test_a_database_that_differs_from_0027_is_refused(world: World, damage: str, difference: str) -> None:
    world.execute(damage)
    refused = migrate("up")
    assert refused.exit_code == 1
    assert difference in " ".join(refused.output.split())
    assert "Nothing was changed" in refused.output
    assert world.execute("select version_num from analytics.schema_migrations") == [{"version_num": "0026_names"}]
    assert world.execute("select to_regclass('analytics.schema_migration_checksums') as oid") == [{"oid": None}]


@pytest.mark.parametrize("version", ["0025_participants", "0009_analyst_views"])
def test_an_older_database_is_refused_with_the_remedy(world: World, version: str) -> None:
    world.execute("update analytics.schema_migrations set version_num = %s", version)
    refused = migrate("up")
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert f"the database is at {version}, which this version cannot upgrade" in said
    assert "commit 9576c79 (tag migrations-0027)" in said
    assert f"the database is at {version}" in migrate("validate").output


def test_roles_of_before_0027_are_refused(world: World) -> None:
    world.execute("insert into analytics.schema_migrations values ('0015_lock_role')")
    refused = migrate("up")
    assert refused.exit_code == 1
    assert "the database is at 0015_lock_role" in refused.output


def test_a_newer_database_is_refused(today: World) -> None:
    today.execute("update analytics.schema_migrations set version_num = '0099_future'")
    refused = migrate("up")
    assert refused.exit_code == 1
    assert "newer than this version, which does not know 0099_future" in " ".join(refused.output.split())


def test_before_the_adoption_commands_say_what_is_missing(world: World) -> None:
    ended = CliRunner().invoke(main, ["tick"])
    assert ended.exit_code == 1
    assert f"the database lacks 0028_app_indexes, {', '.join(ANALYTICS)}" in " ".join(ended.output.split())
    assert world.execute("select from analytics.refresh_state") == []
