"""A database of before 0.1.0 becomes one of this version, with all that only it holds; any other is refused."""

import gzip
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.migrations import record, upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Server, both_servers
from convo_pipelines_tests.database.test_migrations import RIGHT, catalog
from convo_pipelines_tests.world import World

FOLDER = ROOT / "convo_pipelines_tests" / "database" / "at_0041"
"""Dumps of a small company at 0041: archived and deleted sessions, decisions, unread changes."""
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
KEPT = (
    "* from curation.participant_decisions",
    "* from curation.project_assignments",
    "to_jsonb(day) - '{tool_call_count,last_human_at,last_ai_at,unanswered_since}'::text[] as day "  # of 0007
    "from analytics.histories_sessions as day where archived_at is not null",
    "* from analytics.deleted_conversations",
    "* from analytics.alerts",
    "to_jsonb(state) - 'definition' - 'version' as state from analytics.refresh_state as state",  # of 0005 and 0006
    "source, xid, logged_at, is_everything from analytics.changes "
    "where source not in ('conversation_summaries', 'histories')",  # which 0007 logs
    "* from analytics.session_changes where operation <> 'everything'",
)
log = logging.getLogger("test")


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["migrate", *arguments])


def tick(world: World) -> None:
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)


def restore(url: str, name: str = "without_roles") -> None:
    with psycopg.connect(url) as connection:
        if name == "with_roles":
            connection.execute(CREATE_ROLES)
        connection.execute(gzip.decompress((FOLDER / f"{name}.sql.gz").read_bytes()))


@pytest.fixture
def make_world(empty_database: str) -> Iterator[Callable[[str], World]]:
    """Makes a database at 0041 from one of the dumps."""
    world = World(Warehouse(empty_database))

    def make(name: str = "without_roles") -> World:
        restore(empty_database, name)
        world.tables |= {"A": "histories_a", "B": "histories_b"}
        return world

    yield make
    world.close()


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()


def held(world: World) -> list[Any]:
    """What cannot be computed again, or waits for the next tick."""
    return [sorted(map(str, world.execute(f"select {rows}"))) for rows in KEPT]


@both_servers
@pytest.mark.parametrize("name", ["without_roles", "with_roles"])
def test_a_database_at_0041_is_carried_over_with_all_that_only_it_holds(
    make_world: Callable[[str], World], server: Server, name: str
) -> None:
    world = make_world(name)
    before = held(world)
    assert all(before)
    assert (done := migrate("up", "--only", "analytics")).exit_code == 0, done.output
    assert held(world) == before
    lines = [*record.DEFAULT_LINES, *(["roles"] if name == "with_roles" else [])]
    missing = [migration for migration in record.status() if migration.line in lines and not migration.applied]
    assert [migration.name for migration in missing] == [*record.names("app")[1:], record.CODE]
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT
    assert_right(world)
    new = server.create()
    upgrade.up(url=new)
    if name == "with_roles":
        upgrade.up(("roles",), url=new)
    world.execute("drop table app.histories_a, app.histories_b")
    assert ours(catalog(world.url)) == ours(catalog(new))


def test_a_conversation_that_is_deleted_before_the_next_tick_stays_deleted(world: World) -> None:
    assert migrate("up").exit_code == 0
    [gone] = world.execute(
        "delete from app.conversations where id = (select min(id::text)::uuid from app.conversations where crew_id is "
        "not null) returning crew_id, session_id"
    )
    tick(world)
    assert gone in world.execute("select crew_id, session_id from analytics.deleted_conversations")
    assert_right(world)


def assert_right(world: World) -> None:
    """After a tick all tables are right, the archive too; what is archived the oracle cannot know."""
    tick(world)
    assert world.reconcile().drift.changed == 0
    archived = world.execute(
        "delete from analytics.histories_sessions where archived_at is not null returning session_id"
    )
    assert archived == [{"session_id": "pruned"}]
    world.reconcile()
    oracle.assert_right(world, deleted=oracle.without_conversation(world))
    oracle.assert_links_right(world)


def ours(dump: list[str]) -> list[str]:
    """A dump without triggers on the application's tables, and without what a restored view names that it did not."""
    return [line.replace("::text AS text", "::text") for line in dump if "TRIGGER convo_pipelines_" not in line]


def test_app_that_belongs_to_the_application_stays_as_it_is(world: World) -> None:
    world.execute("drop table app.schema_migrations, app.schema_migration_checksums")
    world.execute("create table app.orders (id bigint); alter table app.messages add mood text")
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT
    assert {migration.name for migration in record.status() if migration.line == "app" and migration.applied} == set()


@pytest.mark.parametrize("at", ["0040_many_crews", "0027_stewards_and_observers"])
def test_an_older_database_is_refused_with_the_remedy(world: World, at: str) -> None:
    world.execute("update analytics.schema_migrations set version_num = %s", at)
    before = catalog(world.url)
    refused = migrate("up")
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert f"the database is at {at}, which this version cannot upgrade" in said
    assert f"commit {upgrade.LAST_OF_FORMER}" in said
    assert f"the database is at {at}" in migrate("validate").output
    assert catalog(world.url) == before


def test_what_others_made_of_the_former_record_is_named_and_nothing_is_done(world: World) -> None:
    world.execute("create view public.mine as select version_num from analytics.schema_migrations")
    before = catalog(world.url)
    refused = migrate("up")
    assert refused.exit_code == 1
    assert "the database is not upgraded, other objects depend on what it drops: view" in refused.output
    assert "CASCADE" not in refused.output
    assert catalog(world.url) == before
    assert world.execute("select version_num from app.schema_migrations") == [{"version_num": "0028_app_baseline"}]
    world.execute("drop view public.mine")
    assert migrate("up").exit_code == 0


def test_before_it_commands_say_what_is_missing(world: World) -> None:
    before = held(world)
    ended = CliRunner().invoke(main, ["tick"])
    assert ended.exit_code == 1
    lacking = ", ".join(migration.name for migration in record.status() if migration.line == "analytics")
    assert lacking.startswith("app_indexes, analytics, 0001_uncaptured, ")
    said = f"the database lacks {lacking}: run `convo-pipelines migrate up"
    assert said in " ".join(ended.output.split())
    assert held(world) == before


class Killed(BaseException):
    pass


@pytest.mark.representatives(1)
@pytest.mark.parametrize("pace", [61, 13])
def test_killed_at_any_step_and_repeated_it_ends_the_same(
    server: Server, own_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, pace: int
) -> None:
    """The session ends before a statement; at the next attempt, `pace` statements later; until nothing is left."""
    url = own_database(server.create())
    restore(url)
    execute, left, kills = Connection.execute, pace, 0

    def killed(connection: Connection, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            connection.close()
            raise Killed
        return execute(connection, *arguments, **options)

    monkeypatch.setattr(Connection, "execute", killed)
    for reach in range(pace, 10_000, pace):
        left = reach
        try:
            upgrade.up()
        except Killed:
            kills += 1
        else:
            break
    monkeypatch.undo()
    own_database(url)
    assert kills > 1
    assert migrate("validate").output == RIGHT
    with closing(World(Warehouse(url))) as world:
        assert_right(world)
