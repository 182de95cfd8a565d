"""`migrate down` says what it would break before it does anything, and leaves nothing unclear at any version."""

import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from alembic import command
from click.testing import CliRunner, Result

from convo_pipelines.cli import main, rehearsal
from convo_pipelines.database import migrations
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.operations import health
from convo_pipelines.operations.health import SchemaError
from convo_pipelines.serving import read
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.database.test_migrations import up_to
from convo_pipelines_tests.world import World, at

log = logging.getLogger("test")
APP = ("clients", "crews", "people", "contact_methods", "conversations", "messages", "message_recipients", "projects")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def down(*arguments: str) -> Result:
    return invoke("migrate", "down", *arguments)


@pytest.fixture
def world(empty_database: str) -> Iterator[World]:
    migrations.up(url=empty_database)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


def tick(world: World) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(world.warehouse, table, log)


def fill(world: World) -> None:
    """A small company: crews of two clients, one of them with archive; e-mails, persons, a project."""
    for crew, client in (("A", "C1"), ("B", "C2"), ("P", "C1")):
        [table] = world.execute(f"select to_regclass('app.histories_{crew}') as oid")
        world.crew(crew, client=client, create=table["oid"] is None)
        world.say("pruned", "human", at(-900), crew)
        world.say("pruned", "ai", at(-900, 13), crew)
    world.execute("delete from app.histories_a; delete from app.histories_b")
    write(world, 1)
    if world.execute("select to_regclass('curation.participant_decisions') as oid")[0]["oid"]:
        [who] = world.execute("select id from app.people order by id limit 1")
        for contact in world.execute("select id from app.contact_methods"):
            world.decide(contact["id"], who["id"])


def write(world: World, number: int) -> None:
    """What the application writes, at whatever version analytics is."""
    lead, phone = UUID(int=number), "4915112345678"
    for crew in "AB":
        for session in (f"s{number}", phone):
            world.say(session, "human", at(number % 5, 9), crew)
            world.say(session, "ai", at(number % 5, 10), crew)
    world.execute("delete from app.histories_a where session_id = %s", f"s{number - 2}")
    world.execute("delete from app.people where phone is not null")
    person = world.person(email=f"{number}@example.com", phone=f"+{phone}")
    talk = world.conversation(lead_id=lead)
    world.address(talk, world.contact(f"{number}@example.com"))
    world.address(talk, world.contact(f"other-{number}@example.com", person), "cc")
    world.message(talk, "outbound", at(number % 4, 15))
    world.execute("update app.conversations set project_id = %s where id = %s", world.project(talk), talk)
    moved = "update app.conversations set client_id = %s where lead_id = %s"
    world.execute(moved, world.client("C2"), UUID(int=number - 1))


def archive(world: World) -> list[dict[str, object]]:
    return world.execute(
        "select session_id, message_count from analytics.histories_sessions "
        "inner join app.crews on crews.id = crew_id and crew_code = 'P'"
    )


def assert_right(world: World) -> None:
    assert world.reconcile().drift.changed == 0
    world.execute("update app.crews set is_active = false where crew_code = 'P'")  # the oracle knows of no archive
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    world.execute("update app.crews set is_active = true where crew_code = 'P'")
    tick(world)


def understood(world: World) -> set[str]:
    """The statements of this version that PostgreSQL can make sense of."""
    with world.warehouse.connection() as connection:
        return {
            name for name, text in rehearsal._statements().items() if rehearsal._makes_sense(connection, text)
        }  # fmt: skip


def newest() -> str | None:
    migration = migrations.newest()
    return migration and migration.name


def past(name: str) -> None:
    """Roll back everything of a line down to and including a migration, whatever depends on it."""
    [line] = [migration.line for migration in migrations.status() if migration.name == name]
    older = [migration.name for migration in migrations.status() if migration.line == line and migration.name < name]
    with migrations._connect() as connection:
        command.downgrade(migrations._config(connection, line), max(older, default=f"{line}@base"))
    assert newest() != name


def unclear() -> dict[str, object]:
    """What commands answer that neither work nor refuse in one line that names the remedy."""
    health._up_to_date.clear()  # each is a process of its own
    found: dict[str, object] = {}
    for line in ("zero-schema", "data-dictionary", "status", "capture status", "tick --crew A"):
        ended = invoke(*line.split())
        named = ended.output.count("\n") == 1 and "run `convo-pipelines migrate up" in ended.output
        if not (ended.exit_code == 0 or (ended.exit_code == 1 and named)):
            found[line] = ended.output
    try:
        read.summaries()
    except SchemaError:
        pass
    except psycopg.Error as error:
        found["read"] = error
    return found


@both_servers
def test_from_every_version_the_way_up_ends_equal_to_the_oracle(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(1000)
    fill(world)
    tick(world)
    world.execute("delete from app.histories_p")
    tick(world)
    assert_right(world)
    pruned = [{"session_id": "pruned", "message_count": 2}]
    names = [migration.name for migration in migrations.status() if migration.line == "analytics"]
    for number, name in enumerate(reversed(names), 2):
        past(name)
        write(world, number)
        migrations.up(("analytics",))
        tick(world)
        assert archive(world) == (pruned if name > "0011" else [])
        write(world, number + 100)
        tick(world)
        assert_right(world)


@both_servers
def test_every_version_down_and_up_is_announced_and_leaves_no_command_unclear(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "database_url", lambda: world.url)
    migrations.up(("roles",))
    fill(world)
    tick(world)
    rows = "select to_jsonb(kept) - 'closed_at' as row from app.{} as kept"
    kept = {table: world.execute(rows.format(table)) for table in APP}
    before = understood(world)
    while name := newest():
        if name == "0001_app_schema":
            assert {table: world.execute(rows.format(table)) for table in APP} == kept
        done = down("--yes")
        assert done.output.endswith(f"rolled back {name}\n"), done.output
        after = understood(world)
        assert [statement for statement in before - after if f"\n  {statement}\n" not in done.output] == []
        before = after
        assert unclear() == {}
    assert down().output == "nothing is applied\n"
    for migration in migrations.status():
        up_to(migration.name)
        world.execute((migrations.FOLDER / "ownership.sql").read_text())
        assert unclear() == {}
        if migration.line == "app":
            fill(world)
    tick(world)
    assert_right(world)


@pytest.mark.usefixtures("world")
def test_nothing_is_rolled_back_that_is_needed_unless_somebody_says_so() -> None:
    past("0019_crew_activity_daily")
    refused = down()
    assert refused.exit_code == 1
    assert refused.output.count("\n") == 1
    for named in ("0018_conversation_days", "crew_conversations, ", "tables/conversation_days/keys.sql, ", "Say --yes"):
        assert named in refused.output
    assert newest() == "0018_conversation_days"
    assert down("--yes").exit_code == 0
    past("0014_odd_rows_and_locks")
    assert down().output == "rolled back 0012_fewer_indexes\n"


@pytest.mark.parametrize(("answer", "is_done"), [("y", True), ("n", False)])
def test_on_a_terminal_it_asks(world: World, answer: str, is_done: bool) -> None:
    past("0022_webhook")
    terminal, end = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    program = Path(sys.executable).with_name("convo-pipelines")
    environment = os.environ | {"CONVO_DATABASE_URL": world.url}
    ended = subprocess.run(
        [program, "migrate", "down"], stdin=end, capture_output=True, text=True, env=environment, check=False
    )
    assert "it takes away:\n  table analytics.alerts\n" in ended.stdout
    assert "what fails without it:\n  alerts/" in ended.stdout
    assert "does nothing until `convo-pipelines migrate up`" in ended.stdout
    assert "roll back 0021_alerts? [y/N]" in ended.stdout
    assert (ended.returncode, newest()) == ((0, "0020_client_activity_daily") if is_done else (1, "0021_alerts"))


@both_servers
@pytest.mark.parametrize(
    ("of_others", "named", "remedy"),
    [
        (
            "create view public.mine as select told_at from analytics.alerts",
            "view mine depends on table analytics.alerts",
            "drop view public.mine",
        ),
        (
            "create table public.notes (source text, kind text, subject text, "
            "foreign key (source, kind, subject) references analytics.alerts)",
            "constraint notes_source_kind_subject_fkey on table notes depends on table analytics.alerts",
            "drop table public.notes",
        ),
        (
            "create publication mine for table analytics.alerts",
            "publication of table analytics.alerts in publication mine would be lost",
            "alter publication mine drop table analytics.alerts",
        ),
    ],
)
def test_what_others_made_of_it_is_named_and_nothing_is_done(
    world: World, of_others: str, named: str, remedy: str
) -> None:
    past("0022_webhook")
    world.execute(of_others)
    for arguments in ((), ("--yes",)):
        refused = down(*arguments)
        assert (refused.exit_code, newest()) == (1, "0021_alerts")
        assert f"others depend on it: {named}. Drop these first: " in refused.output
    world.execute(remedy)
    assert down("--yes").exit_code == 0


def test_a_function_of_others_that_names_what_goes_is_named(world: World) -> None:
    past("0022_webhook")
    world.execute("create function app.told() returns bigint language sql as 'select count(*) from pg_class'")
    world.execute(
        "create function public.told() returns bigint language plpgsql as "
        "'begin return (select count(*) from analytics.alerts); end'"
    )
    announced = down("--yes").output
    assert "\n  function told()\n" in announced
    assert "app.told" not in announced


@pytest.mark.usefixtures("world")
def test_rights_that_a_migration_of_roles_gave_are_taken_back_first() -> None:
    migrations.up(("roles",))
    past("0027_stewards_and_observers")
    past("0016_leads_and_customers")
    refused = down("--only", "analytics", "--yes")
    assert refused.exit_code == 1
    right = "the right of convo_pipeline to call function analytics.lock_parents(text,uuid[])"
    assert f"{right} would be lost" in refused.output
    assert "0015_lock_role" in down().output
    assert down("--yes").output.endswith("rolled back 0015_lock_role\n")
    assert down("--only", "analytics", "--yes").output.endswith("rolled back 0014_odd_rows_and_locks\n")


def test_data_that_nothing_brings_back_is_named(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(1000)
    fill(world)
    tick(world)
    world.execute("delete from app.histories_p; delete from app.conversations where crew_id is not null")
    world.execute("update app.conversations set closed_at = now()")
    tick(world)
    past("0011_capture")
    announced = down("--yes").output
    assert "\n  which session-days are archive" in announced
    assert "which conversations of crews were deleted" in announced
    past("0009_analyst_views")
    assert "brings back:\n  what is in column closed_at of table app.conversations\n" in down("--yes").output
    past("0002_analytics_schema")
    assert "\n  what is in table app.people\n" in down("--yes").output
