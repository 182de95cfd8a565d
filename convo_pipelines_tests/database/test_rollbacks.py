"""`migrate down` asks, names what depends on what it drops; the way up again ends equal to the oracle."""

import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database.migrations import record, upgrade, validation
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Tree, both_servers_if_wide
from convo_pipelines_tests.database.test_migrations import catalog
from convo_pipelines_tests.world import World, at

LATER = "9001_later"
VERSIONED = sorted(folder.name for folder in (ROOT / "sql/migrations/analytics").iterdir())
UNTIL_ROLES = VERSIONED[-1]
"""The newest migration of a database without roles."""
log = logging.getLogger("test")


def tick(world: World) -> None:
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)


def fill(world: World) -> None:
    """A small company, with a person who is linked to a conversation."""
    world.crew()
    world.say("s1", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    talk = world.conversation(project_id=world.project())
    world.address(talk, world.contact("ana@example.com", world.person(email="ana@example.com")))


def down(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["migrate", "down", *arguments])


@pytest.fixture
def world(empty_database: str) -> Iterator[World]:
    upgrade.up(url=empty_database)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


def newest() -> str | None:
    migration = record.newest()
    return migration and migration.name


def past(name: str) -> None:
    while newest() != name:
        assert down("--yes").exit_code == 0


@pytest.fixture
def later(world: World, tree: Tree) -> Tree:
    """A version later, to which the world is upgraded: with a table, and a view of it."""
    assert newest() == UNTIL_ROLES, world.url
    tree.add(
        LATER,
        "create table analytics.later (id bigint primary key, email text);",
        "drop view analytics.lately; drop table analytics.later;",
    )
    tree.define("analytics/later", "create table analytics.later (id bigint primary key, email text);\n")
    tree.define("analytics/lately", "create or replace view analytics.lately as select id from analytics.later;\n")
    assert CliRunner().invoke(main, ["migrate", "up"]).exit_code == 0
    assert newest() == LATER
    return tree


@both_servers_if_wide
@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("name", [LATER, "analytics", "app_indexes"])
def test_down_and_up_ends_equal_to_the_oracle(world: World, name: str) -> None:
    fill(world)
    tick(world)
    world.say("s2", "human", at(1, 9))
    past(name)
    assert down("--yes").exit_code == 0
    world.say("s3", "human", at(2, 9))
    world.address(world.conversation(), world.contact("ben@example.com", world.person()))
    upgrade.up(("analytics",))
    assert "lately" in catalog_of(world)
    tick(world)
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


def catalog_of(world: World) -> set[str]:
    return {row["name"] for row in world.execute("select relname as name from pg_class where relkind in ('r', 'v')")}


@pytest.mark.usefixtures("later")
def test_the_archive_and_deletions_survive_the_rollback_of_a_later_migration(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(1000)
    world.crew()
    world.say("pruned", "human", at(-900))
    world.say("kept", "human", at(0))
    tick(world)
    world.execute("delete from app.histories_a where session_id = 'pruned'")
    world.execute("delete from app.conversations where session_id = 'kept'")
    tick(world)
    kept = (
        "select session_id, archived_at from analytics.histories_sessions",
        "select crew_id, session_id, deleted_at from analytics.deleted_conversations",
    )
    before = [world.execute(query) for query in kept]
    assert down("--yes").exit_code == 0
    upgrade.up()
    tick(world)
    assert [world.execute(query) for query in kept] == before != [[], []]


def test_conversations_that_are_deleted_before_the_next_tick_stay_deleted(world: World) -> None:
    world.crew()
    for session in ("s1", "s2", "s3"):
        world.say(session, "human", at(0, 9))
    tick(world)
    past("0001_uncaptured")
    world.execute("delete from app.conversations where session_id = 's1'")
    upgrade.up()
    world.execute("delete from app.conversations where session_id = 's2'")
    tick(world)
    assert world.execute("select session_id from app.conversations") == [{"session_id": "s3"}]
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
def test_decisions_survive_the_rollback_of_the_baseline(world: World) -> None:
    fill(world)
    [contact] = world.execute("select id from app.contact_methods")
    [person] = world.execute("select id from app.people")
    world.decide(contact["id"], person["id"])
    past("analytics")
    assert down("--yes").exit_code == 0
    assert len(world.execute("select from curation.participant_decisions")) == 1
    upgrade.up(("analytics",))
    assert list(validation.validate()) == []
    tick(world)
    oracle.assert_links_right(world)


@pytest.mark.usefixtures("world")
def test_a_baseline_is_rolled_back_only_with_yes_and_says_what_is_lost() -> None:
    past("analytics")
    lost = "analytics drops all that it created. Lost for good: archived session-days, the record of deleted"
    for arguments, code in (((), 1), (("--yes",), 0)):
        done = down(*arguments)
        assert done.exit_code == code
        assert lost in " ".join(done.output.split())
        assert (newest() == "analytics") == bool(code)
    assert "app.conversations.closed_at" in down().output


@pytest.mark.representatives(1)
@pytest.mark.parametrize(("answer", "is_done"), [("y", True), ("n", False)])
def test_on_a_terminal_it_asks(world: World, answer: str, is_done: bool) -> None:
    upgrade.up(("roles",))
    terminal, end = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    program = [sys.executable, "-c", "from convo_pipelines.cli import main; main()", "migrate", "down"]
    environment = os.environ | {"CONVO_DATABASE_URL": world.url}
    ended = subprocess.run(program, stdin=end, capture_output=True, text=True, env=environment, check=False)
    assert "roll back roles? [y/N]" in ended.stdout
    assert (ended.returncode, newest()) == ((0, UNTIL_ROLES) if is_done else (1, "roles"))


@pytest.mark.usefixtures("later")
def test_without_a_terminal_it_wants_yes() -> None:
    refused = down()
    assert (refused.exit_code, newest()) == (1, LATER)
    assert refused.output == f"Error: {LATER} is not rolled back: say --yes to roll it back\n"


OF_OTHERS = [
    (
        "create view public.mine as select found from analytics.alerts",
        "view public.mine depends on table analytics.alerts",
        "drop view public.mine",
    ),
    (
        "create table public.notes (source text, kind text, subject text, "
        "foreign key (source, kind, subject) references analytics.alerts)",
        "constraint notes_source_kind_subject_fkey on table public.notes depends on",
        "drop table public.notes",
    ),
    (
        "create publication mine for table analytics.alerts",
        "publication of table analytics.alerts in publication mine depends on table analytics.alerts",
        "drop publication mine",
    ),
    (
        "create function public.mine(analytics.alerts) returns text language sql as 'select null'",
        "function public.mine(analytics.alerts) depends on",
        "drop function public.mine",
    ),
]


@pytest.mark.representatives(1)
@both_servers_if_wide
@pytest.mark.parametrize(("of_others", "named", "remedy"), OF_OTHERS)
def test_what_others_made_of_the_baseline_is_named_and_nothing_is_done(
    world: World, empty_database: str, of_others: str, named: str, remedy: str
) -> None:
    world.crew()
    tick(world)
    past("analytics")
    world.execute(of_others)
    before = catalog(empty_database)
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, "analytics")
    assert f"other objects depend on what it drops: {named}" in " ".join(refused.output.split())
    assert catalog(empty_database) == before
    world.execute(remedy)
    assert down("--yes").exit_code == 0


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("of_others", "named", "remedy"),
    [
        (
            "create view public.mine as select id from analytics.lately",
            "view public.mine depends on view analytics.lately",
            "drop view public.mine",
        ),
        (
            "create publication mine for table analytics.later",
            "publication of table analytics.later in publication mine",
            "alter publication mine drop table analytics.later",
        ),
    ],
)
def test_what_others_made_of_a_later_version_is_named_and_nothing_is_done(
    world: World, of_others: str, named: str, remedy: str
) -> None:
    world.execute(of_others)
    before = catalog(world.url)
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, LATER)
    assert named in " ".join(refused.output.split())
    assert catalog(world.url) == before
    world.execute(remedy)
    assert down("--yes").exit_code == 0


@pytest.mark.usefixtures("world")
def test_roles_are_rolled_back_before_the_baseline_that_they_have_rights_on() -> None:
    upgrade.up(("roles",))
    for _ in VERSIONED:
        assert down("--only", "analytics", "--yes").exit_code == 0
    refused = down("--only", "analytics", "--yes")
    assert (refused.exit_code, newest()) == (1, "roles")
    assert "run `convo-pipelines migrate down --only roles` first" in " ".join(refused.output.split())


def test_what_a_role_owns_is_named_before_the_role_goes(world: World) -> None:
    upgrade.up(("roles",))
    world.execute("create table public.notes (); alter table public.notes owner to convo_analyst")
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, "roles")
    assert "convo_analyst owns table public.notes" in refused.output
