"""Foreign keys to the application's tables are a convenience: without them, ticks delete what they would."""

import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import main
from convo_pipelines.database.migrations import runner, validation
from convo_pipelines.engine import chunk_size, chunks, refresh
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_modes, both_servers_if_wide
from convo_pipelines_tests.world import World

KEYS = (
    "select count(*) from pg_constraint inner join pg_class as parent on parent.oid = confrelid "
    "where contype = 'f' and connamespace = 'analytics'::regnamespace and relnamespace = 'app'::regnamespace"
)
DANGLING = "select {key} from analytics.{child} where {key} is not null and {key} not in (select id from app.{parent})"


def ticks(world: World) -> None:
    world.tick()
    world.sync()


def dangling(world: World) -> dict[str, int]:
    """How many rows refer to nothing, by column."""
    keys = world.execute("select child, column_name as key, parent from analytics.foreign_keys()")
    counts = {f"{key['child']}.{key['key']}": len(world.execute(DANGLING.format(**key))) for key in keys}
    return {name: count for name, count in counts.items() if count}


def test_the_registry_and_the_database_name_the_same_parents(world: World) -> None:
    keys = world.execute("select child, column_name, parent from analytics.foreign_keys()")
    bookkeeping = {("crew_discovery_state", "crew_id", "crews"), ("deleted_conversations", "crew_id", "crews")}
    assert {tuple(key.values()) for key in keys} - bookkeeping == {
        (table.name, column, parent)
        for table in DERIVED_TABLES
        if not table.rows.is_insert_only
        for column, parent in table.rows.parents
    }


DELETIONS = [
    *(f"delete from app.{name}" for name in ("clients", "crews", "users", "projects", "people", "contact_methods")),
    "delete from app.conversations where crew_id is null",
    "delete from app.messages",
]
TRUNCATIONS = [
    "truncate app.message_recipients, app.messages, app.conversations",
    "truncate app.users, app.projects, app.conversations, app.messages, app.message_recipients",
    "truncate app.contact_methods, app.message_recipients",
]
CASCADES = [f"truncate app.{table} cascade" for table in ("clients", "people", "users", "crews")]


def assert_all_right(world: World) -> None:
    deleted = world.execute("select crew_id, session_id from analytics.deleted_conversations")
    assert dangling(world) == {}
    oracle.assert_right(world, {(row["crew_id"], row["session_id"]) for row in deleted})
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


@pytest.mark.representatives(4)
@both_servers_if_wide
@both_modes
@pytest.mark.parametrize("deletion", [*DELETIONS, *CASCADES])
def test_nothing_refers_to_a_deleted_row_after_a_tick(full: World, deletion: str) -> None:
    full.execute(deletion)
    ticks(full)
    assert_all_right(full)


@both_servers_if_wide
@pytest.mark.parametrize("foreign_keys", ["no_keys"], indirect=True)
@pytest.mark.parametrize(
    "truncation", [TRUNCATIONS[0], *(pytest.param(t, marks=pytest.mark.wide) for t in TRUNCATIONS[1:])]
)
@pytest.mark.wide
def test_without_them_nothing_refers_to_truncated_rows_after_a_tick(full: World, truncation: str) -> None:
    full.execute(truncation)
    assert dangling(full) != {}
    assert {name for name, check in full.checks().items() if name.endswith("no_orphans") and not check.passed} == set()
    ticks(full)
    assert_all_right(full)


@pytest.mark.parametrize("foreign_keys", ["no_keys"], indirect=True)
def test_more_identifiers_than_a_chunk_holds_may_be_gone(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        full.contact(f"p{number}@example.com", full.person(email=f"p{number}@example.com"))
    ticks(full)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    for name, size in {"CHUNK_KEYS": 2, "SMALLEST_CHUNK": 1, "LARGEST_CHUNK": 2}.items():
        monkeypatch.setattr(refresh if name == "CHUNK_KEYS" else chunk_size, name, size)
    full.execute("truncate app.contact_methods, app.message_recipients")
    full.execute("delete from app.people")
    ticks(full)
    assert full.execute("select from analytics.identifiers where source in ('person', 'contact_method')") == []
    assert_all_right(full)


def test_with_them_a_truncation_is_refused(full: World) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        full.execute(TRUNCATIONS[0])


@both_servers_if_wide
@pytest.mark.parametrize("foreign_keys", ["no_keys"], indirect=True)
def test_what_is_deleted_and_inserted_again_is_linked_again(full: World) -> None:
    """By an application without foreign keys of its own."""
    full.execute(
        "do $$ declare key record; begin for key in select conrelid::regclass as name, conname from pg_constraint "
        "where contype = 'f' and connamespace = 'app'::regnamespace loop "
        "execute format('alter table %s drop constraint %I', key.name, key.conname); end loop; end $$"
    )
    before = {table.target: full.execute(f"select count(*) from {table.target}") for table in DERIVED_TABLES}
    for table in ("projects", "people", "clients"):
        full.execute(f"create temporary table kept_{table} as select * from app.{table}")
        full.execute(f"delete from app.{table}")
        ticks(full)
        assert dangling(full) == {}
        full.execute(f"insert into app.{table} select * from kept_{table}")
        ticks(full)
        assert_all_right(full)
    assert {table.target: full.execute(f"select count(*) from {table.target}") for table in DERIVED_TABLES} == before


@pytest.mark.usefixtures("full")
def test_they_are_switched_off_and_on(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: full.url)
    monkeypatch.setattr("convo_pipelines.database.warehouse.database_url", lambda: full.url)

    def switch(option: str) -> int:
        assert CliRunner().invoke(main, ["migrate", "up", "--only", "analytics", option]).exit_code == 0
        return full.execute(KEYS)[0]["count"]

    some = full.execute(KEYS)[0]["count"]
    assert switch("--without-foreign-keys") == 0
    assert list(validation.validate()) == []
    assert CliRunner().invoke(main, ["status"]).output.count("switched off") == some
    full.execute("delete from app.people")
    assert switch("--with-foreign-keys") == some
    ticks(full)
    ticks(full)
    assert list(validation.validate()) == []
    assert full.execute("select from analytics.foreign_keys() where not (is_wanted and is_right and is_valid)") == []
    assert_all_right(full)


def dangling_people(world: World) -> int:
    return len(world.execute(DANGLING.format(child="people_conversations", key="person_id", parent="people")))
