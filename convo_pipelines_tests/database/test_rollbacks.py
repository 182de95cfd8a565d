"""`migrate down` asks, names what depends on what it drops; the way up again ends equal to the oracle."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import migrations
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests import oracle
from convo_pipelines_tests.catalogs import ANALYTICS, NEWEST
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.database.test_adoption import fill, tick
from convo_pipelines_tests.database.test_migrations import catalog
from convo_pipelines_tests.world import World, at

BASELINE = ANALYTICS[0]
[DECISIONS] = [name for name in ANALYTICS if name.endswith("_decisions")]
BEFORE_ASKED, ASKED = [pair for pair in pairwise(ANALYTICS) if pair[1] not in migrations.LOST_WITH][-1]
"""The newest migration whose rollback loses nothing, and the one before."""


def down(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["migrate", "down", *arguments])


@pytest.fixture
def world(empty_database: str) -> Iterator[World]:
    migrations.up(url=empty_database)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


def newest() -> str | None:
    migration = migrations.newest()
    return migration and migration.name


def newest_of_analytics() -> str | None:
    migration = migrations.newest(("analytics",))
    return migration and migration.name


def past(name: str) -> None:
    while newest() != name:
        assert down("--yes").exit_code == 0


@pytest.mark.representatives(3)
@both_servers_if_wide
@pytest.mark.parametrize("name", [*reversed(ANALYTICS), "0028_app_indexes"])
def test_down_and_up_ends_equal_to_the_oracle(world: World, name: str) -> None:
    fill(world)
    tick(world)
    world.say("s2", "human", at(1, 9))
    past(name)
    assert down("--yes").exit_code == 0
    world.say("s3", "human", at(2, 9))
    world.address(world.conversation(), world.contact("ben@example.com", world.person()))
    migrations.up(("analytics",))
    assert list(migrations.validate()) == []
    tick(world)
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


@pytest.mark.wide
def test_clients_are_linked_to_all_of_their_conversations_by_the_first_tick_after_the_upgrade(world: World) -> None:
    talk = world.conversation()
    tick(world)
    past("0032_analysts")
    assert down("--yes").exit_code == 0
    world.execute("delete from analytics.clients_conversations")  # what was never there
    migrations.up(("analytics",))
    tick(world)
    found = world.execute("select client_id, conversation_id from analytics.clients_conversations")
    assert found == [{"client_id": world.client(), "conversation_id": talk}]


@pytest.mark.wide
def test_the_archive_and_deletions_survive_what_comes_after_the_baseline(
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
    past(BASELINE)
    migrations.up()
    tick(world)
    assert [world.execute(query) for query in kept] == before != [[], []]


@both_servers_if_wide
def test_decisions_survive_the_rollback_of_the_baseline(world: World) -> None:
    fill(world)
    [contact] = world.execute("select id from app.contact_methods")
    [person] = world.execute("select id from app.people")
    world.decide(contact["id"], person["id"])
    past(BASELINE)
    assert down("--yes").exit_code == 0
    assert len(world.execute("select from curation.participant_decisions")) == 1
    migrations.up(("analytics",))
    assert list(migrations.validate()) == []
    tick(world)
    oracle.assert_links_right(world)


@pytest.mark.wide
def test_a_decision_on_an_identifier_becomes_one_on_its_contact_method_and_is_never_dropped(world: World) -> None:
    ana, contact = world.person(), world.contact("Ben@B.Example")
    tick(world)
    world.decide("ben@b.example", ana)
    nobodys = world.decide("+4915112345678", ana)
    past(DECISIONS)
    refused = down("--yes")
    assert refused.exit_code == 1
    assert "1 decisions name an identifier that no contact method has, such as +4915112345678" in refused.output
    assert newest() == DECISIONS
    world.execute("delete from curation.participant_decisions where id = %s", nobodys)
    assert down("--yes").exit_code == 0
    decided = "select contact_method_id, person_id from curation.participant_decisions"
    assert world.execute(decided) == [{"contact_method_id": contact, "person_id": ana}]
    migrations.up()
    tick(world)
    oracle.assert_links_right(world)


@pytest.mark.usefixtures("world")
def test_a_baseline_is_rolled_back_only_with_yes_and_says_what_is_lost() -> None:
    past(BASELINE)
    lost = f"{BASELINE} drops all that it created. Lost for good: archived session-days, the record of deleted"
    for arguments, code in (((), 1), (("--yes",), 0)):
        done = down(*arguments)
        assert done.exit_code == code
        assert lost in " ".join(done.output.split())
        assert (newest() == BASELINE) == bool(code)
    assert "app.conversations.closed_at" in down().output


@pytest.mark.usefixtures("world")
def test_the_rollback_that_drops_recorded_assignments_says_so() -> None:
    past(DECISIONS)
    refused = down()
    assert (refused.exit_code, newest()) == (1, DECISIONS)
    lost = "Lost for good: when and by whom conversations were put into projects (curation.project_assignments)."
    assert lost in " ".join(refused.output.split())


@pytest.mark.representatives(1)
@pytest.mark.parametrize(("answer", "is_done"), [("y", True), ("n", False)])
def test_on_a_terminal_it_asks(world: World, answer: str, is_done: bool) -> None:
    past(ASKED)
    terminal, end = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    program = [sys.executable, "-c", "from convo_pipelines.cli import main; main()", "migrate", "down"]
    environment = os.environ | {"CONVO_DATABASE_URL": world.url}
    ended = subprocess.run(program, stdin=end, capture_output=True, text=True, env=environment, check=False)
    assert f"roll back {ASKED}? [y/N]" in ended.stdout
    assert (ended.returncode, newest()) == ((0, BEFORE_ASKED) if is_done else (1, ASKED))


@pytest.mark.usefixtures("world")
def test_without_a_terminal_it_wants_yes() -> None:
    past(ASKED)
    refused = down()
    assert (refused.exit_code, newest()) == (1, ASKED)
    assert refused.output == f"Error: {ASKED} is not rolled back: say --yes to roll it back\n"


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
    past(BASELINE)
    world.execute(of_others)
    before = catalog(empty_database)
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, BASELINE)
    assert f"other objects depend on what it drops: {named}" in " ".join(refused.output.split())
    assert catalog(empty_database) == before
    world.execute(remedy)
    assert down("--yes").exit_code == 0


@both_servers_if_wide
@pytest.mark.wide
def test_an_analysts_view_on_what_0029_created_is_named(world: World, empty_database: str) -> None:
    world.execute("create view public.mine as select analytics.is_unread('5', pg_current_snapshot())")
    past("0029_terms")
    before = catalog(empty_database)
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, "0029_terms")
    assert "view public.mine depends on function analytics.is_unread(xid8,pg_snapshot)" in " ".join(
        refused.output.split()
    )
    assert catalog(empty_database) == before


@both_servers_if_wide
@pytest.mark.wide
def test_views_of_analysts_go_along_with_what_is_renamed(world: World) -> None:
    past(BASELINE)
    world.execute("create view public.found as select told_at from analytics.alerts")
    migrations.up(("analytics",))
    world.execute("create view public.waiting as select changes_waiting from analytics.freshness")
    past("0035_live")
    refused = down("--yes")
    assert refused.exit_code == 1
    assert "view public.waiting depends on view analytics.freshness" in " ".join(refused.output.split())
    world.execute("drop view public.waiting")
    past(BASELINE)
    assert world.execute("select from public.found") == []


def test_a_table_that_a_publication_holds_is_not_lost_by_a_later_rollback(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(migrations.FOLDER, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "9999_later"
    folder.mkdir()
    (folder / "migration.sql").write_text("create table analytics.later (id bigint primary key);")
    (folder / "rollback.sql").write_text("drop table analytics.later;")
    (folder / "revision.py").write_text(
        "from convo_pipelines.database.migrations import sql_files\n"
        f"revision, down_revision = '9999_later', '{NEWEST}'\n"
        "upgrade, downgrade = sql_files(__file__)\n"
    )
    monkeypatch.setattr(migrations, "FOLDER", tmp_path)
    migrations.up()
    world.execute("create publication mine for table analytics.later")
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, "9999_later")
    assert "publication of table analytics.later in publication mine" in " ".join(refused.output.split())
    world.execute("alter publication mine drop table analytics.later")
    assert down("--yes").exit_code == 0


@pytest.mark.usefixtures("world")
def test_roles_are_rolled_back_before_the_baseline_that_they_have_rights_on() -> None:
    migrations.up(("roles",))
    while newest_of_analytics() != BASELINE:
        assert down("--only", "analytics", "--yes").exit_code == 0
    refused = down("--only", "analytics", "--yes")
    assert (refused.exit_code, newest()) == (1, "0028_roles_baseline")
    assert "run `convo-pipelines migrate down --only roles` first" in " ".join(refused.output.split())


def test_what_a_role_owns_is_named_before_the_role_goes(world: World) -> None:
    migrations.up(("roles",))
    world.execute("create table public.notes (); alter table public.notes owner to convo_analyst")
    refused = down("--yes")
    assert (refused.exit_code, newest()) == (1, "0028_roles_baseline")
    assert "convo_analyst owns table public.notes" in refused.output
