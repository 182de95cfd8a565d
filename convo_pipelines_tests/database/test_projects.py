"""Projects' deprecated arrays: what disagrees with them, rewriting them, and doing without them."""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import addresses
from convo_pipelines.database.migrations import rollback, upgrade, validation
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, ticks
from convo_pipelines.model.tables import DERIVED_TABLES, REGISTRY, TABLES
from convo_pipelines.operations import forget, health, projects
from convo_pipelines.settings import Settings
from convo_pipelines.sources import sample_data
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, both_servers_if_wide
from convo_pipelines_tests.interleaving import interleave
from convo_pipelines_tests.world import LINKS, World, at, metadata, sample

DROP = "alter table app.projects drop column if exists conversation_ids"


@pytest.fixture
def command(environment: Callable[..., Settings]) -> Iterator[Callable[..., str]]:
    """Runs a command against a database; returns what it prints, after an error, too."""

    def run(url: str, *arguments: str) -> str:
        environment(CONVO_DATABASE_URL=url, COLUMNS="250")
        addresses.database_url.cache_clear()
        return " ".join(CliRunner().invoke(main, arguments).output.split())

    yield run
    addresses.database_url.cache_clear()


def array(world: World, project: UUID) -> list[UUID]:
    [row] = world.execute("select conversation_ids from app.projects where id = %s", project)
    return row["conversation_ids"]


def found(world: World) -> dict[tuple[UUID, str], UUID | None]:
    rows = world.execute("select * from analytics.project_link_inconsistencies")
    return {(row["project_id"], row["kind"]): row["named_project_id"] for row in rows}


@both_servers_if_wide
def test_a_mismatch_names_the_project_of_the_conversation_wherever_that_goes(world: World) -> None:
    two, three = world.project(), world.project()
    talk = world.conversation(project_id=two)
    one = world.project(talk, UUID(int=7))
    world.sync()
    expected = {(one, "project_mismatch"): two, (one, "stale_id"): None, (two, "missing_from_array"): two}
    assert found(world) == expected
    shown = sample(world.checks("projects_agree_with_their_arrays")["projects_agree_with_their_arrays"])
    [row] = [row for row in shown if row["kind"] == "project_mismatch"]
    assert (row["project_id"], row["named_project_id"]) == (str(one), str(two))
    for project, missing in ((three, {(three, "missing_from_array"): three}), (None, {})):
        world.execute("update app.conversations set project_id = %s", project)
        updated = world.sync()["project_link_inconsistencies"].outcome.counts.updated
        assert found(world) == {(one, "project_mismatch"): project, (one, "stale_id"): None, **missing}
        assert updated == 1
        oracle.assert_links_right(world)
    world.execute("update app.conversations set project_id = %s", one)
    world.sync()
    assert found(world) == {(one, "stale_id"): None}
    world.execute("delete from app.conversations where id = %s", talk)
    world.sync()
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
def test_arrays_are_shown_and_rewritten_from_what_conversations_say(
    world: World, command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "BATCH_PROJECTS", 2)
    owners = [world.project() for _ in range(5)]
    first, *_, right = owners
    talks = [world.conversation(project_id=first, created_at=at(-day)) for day in range(4)]
    strayed = world.conversation(project_id=owners[1])
    kept = [talks[2], talks[0], talks[2]]
    update = "update app.projects set conversation_ids = %s where id = %s"
    world.execute(update, [UUID(int=7), *kept[:1], strayed, *kept[1:]], first)
    fine = world.conversation(project_id=right)
    world.execute(update, [fine, fine], right)
    world.execute(update, [UUID(int=8)], owners[2])
    world.sync()
    shown = command(world.url, "data", "project-arrays")
    assert "3 projects whose arrays differ: 3 missing_from_array, 1 project_mismatch, 2 stale_id" in shown
    assert str(UUID(int=7)) in shown
    assert array(world, first)[0] == UUID(int=7)
    written = command(world.url, "data", "project-arrays", "--write")
    assert "projects ┃ added ┃ removed ┃ skipped" in written
    assert "3 │ 3 │ 3 │ 0" in written
    assert array(world, first) == [talks[2], talks[0], talks[3], talks[1]]
    assert array(world, right) == [fine, fine]
    assert array(world, owners[1]) == [strayed]
    assert array(world, owners[2]) == []
    world.sync()
    assert found(world) == {}
    oracle.assert_links_right(world)
    assert command(world.url, "data", "project-arrays", "--write") == "all arrays are correct"


@both_servers_if_wide
def test_a_locked_project_is_skipped_and_what_was_written_before_its_turn_is_kept(
    world: World, command: Callable[..., str]
) -> None:
    locked, free = world.project(), world.project()
    talk, other = world.conversation(project_id=locked), world.conversation(project_id=free)
    with psycopg.connect(world.url) as application:
        application.execute("update app.projects set conversation_ids = array[%s] where id = %s", [talk, locked])
        written = command(world.url, "data", "project-arrays", "--write")
        assert "1 projects were locked and skipped; run the command again" in written
        assert (array(world, locked), array(world, free)) == ([], [other])
        with psycopg.connect(world.url, autocommit=True) as connection:  # as one whose conversation is being inserted
            connection.execute("select from app.projects where id = %s for key share", [free])
    assert array(world, locked) == [talk]
    world.execute("update app.projects set conversation_ids = '{}' where id = %s", locked)
    late = world.conversation(project_id=locked)
    with world.warehouse.connection() as connection:
        then = [row["project_id"] for row in projects.differences(connection)]
    world.execute("update app.projects set conversation_ids = array[%s] where id = %s", late, locked)
    done = projects.rewrite(world.warehouse, then, lambda _count: None)
    assert (done.projects, done.added) == (1, 1)
    assert array(world, locked) == [late, talk]


@both_servers_if_wide
def test_rewriting_beside_writers_who_keep_both_in_step_loses_nothing(world: World) -> None:
    owners = [world.project() for _ in range(3)]
    talks = [world.conversation(project_id=owners[0]) for _ in range(4)]
    stop = threading.Event()

    def move(seed: int) -> None:
        rng = random.Random(seed)
        with psycopg.connect(world.url) as application:
            while not stop.is_set():
                project = rng.choice(owners)
                application.execute(
                    "update app.conversations set project_id = %s where id = %s", [project, talks[seed]]
                )
                stop.wait(rng.random() * 0.01)
                application.execute(
                    "with former as materialized (select id from app.projects order by id for no key update) "
                    "update app.projects as project set conversation_ids = array_remove(conversation_ids, %(talk)s) "
                    "|| case when id = %(project)s then array[%(talk)s]::uuid[] else '{}' end "
                    "where id in (select id from former)",
                    {"talk": talks[seed], "project": project},
                )
                application.commit()

    writers = [threading.Thread(target=move, args=[seed]) for seed in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(100):
        projects.rewrite(world.warehouse, owners, lambda _count: None)
    stop.set()
    for writer in writers:
        writer.join()
    projects.rewrite(world.warehouse, owners, lambda _count: None)
    assert sorted(id_ for owner in owners for id_ in array(world, owner)) == sorted(talks)
    world.sync()
    assert found(world) == {}


def test_whoever_inserts_a_conversation_of_a_project_keeps_nobody_from_rewriting_it(world: World) -> None:
    project = world.project()
    world.conversation(project_id=project)
    with psycopg.connect(world.url) as application:
        application.execute("select from app.projects for key share")
        done = projects.rewrite(world.warehouse, [project], lambda _count: None)
    assert (done.projects, done.skipped) == (1, 0)


@both_servers_if_wide
def test_who_may_not_update_projects_is_told_who_may(server: Server, command: Callable[..., str]) -> None:
    url = server.create(template="template_app")
    upgrade.up(("roles",), url=url)
    world = World(Warehouse(url))
    world.conversation(project_id=world.project())
    [owner] = world.execute("select current_user::text as name")
    pipeline = make_url(url).set(username="convo_pipeline").render_as_string(hide_password=False)
    refused = command(pipeline, "data", "project-arrays", "--write")
    assert (
        f"Error: convo_pipeline may not update app.projects: run the command as its owner, {owner['name']}, or grant "
        "update on app.projects to convo_pipeline" in refused
    )
    assert "1 projects whose arrays differ: 1 missing_from_array" in command(pipeline, "data", "project-arrays")
    world.close()


@both_servers_if_wide
def test_without_the_arrays_everything_runs_and_nothing_disagrees(world: World, command: Callable[..., str]) -> None:
    world.crew()
    world.say("s1")
    user = world.execute("insert into app.users (name) values ('…') returning id")[0]["id"]
    talk = world.conversation(project_id=world.project(UUID(int=7)))
    world.address(talk, world.contact("ana@example.com", world.person()))
    world.tick()
    world.sync()
    assert len(found(world)) == 2
    assert not world.has_news(LINKS)
    world.execute(DROP)
    assert world.has_news(LINKS)
    told = metadata(world.materialize(LINKS), "project_link_inconsistencies")
    assert (told["rows_deleted"], told["remark"]) == (2, projects.NO_ARRAYS)
    assert found(world) == {}
    oracle.assert_links_right(world)
    assert not world.has_news(LINKS)
    other = world.insert("projects", user_id=user, name="…")
    world.execute("update app.conversations set project_id = %s where id = %s", other, talk)
    world.conversation(project_id=other)
    world.sync()
    world.backfill(at().date(), assets=[table.name for table in DERIVED_TABLES])
    world.execute("delete from app.projects where id <> %s", other)
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
    assert {name for name, check in world.checks().items() if not check.passed} == set()
    assert [f.kind for f in health.look(world.warehouse)] == []
    assert command(world.url, "data", "project-arrays", "--write") == projects.NO_ARRAYS
    assert command(world.url, "migrate", "validate") == "the database is what its migrations define"
    assert "conversation_ids" not in command(world.url, "generate", "zero-schema")
    for line in (["status"], ["tick"], ["reconcile"], ["capture", "off"], ["capture", "on"], ["health"]):
        assert "Error" not in command(world.url, *line)


def added(world: World, conversation: UUID) -> tuple[Any, ...]:
    [row] = world.execute(
        "select project_id, added_at, added_by, added_by_is from analytics.project_conversations "
        "where conversation_id = %s",
        conversation,
    )
    return tuple(row.values())


def assignments(world: World) -> list[tuple[Any, ...]]:
    rows = world.execute("select conversation_id, project_id from curation.project_assignments order by id")
    return [tuple(row.values()) for row in rows]


@both_servers_if_wide
def test_when_and_by_whom_a_conversation_was_added_is_recorded_and_outlives_analytics(world: World) -> None:
    world.sync()
    one, two = world.project(), world.project()
    owner = world.execute("select id from app.users")[0]["id"]
    ana = world.insert("users", name="Ana")
    born = world.conversation(project_id=one, created_at=at(-900))
    moved, left, odd = (world.conversation() for _ in range(3))
    joined = world.assign(moved, one, str(ana))
    world.assign(left, one)
    oddly = world.assign(odd, one, "Ana'; drop table")
    world.execute("update app.conversations set subject = 'later', updated_at = now()")
    inserted = world.execute("select changed_at from curation.project_assignments where conversation_id = %s", born)
    expected = {
        born: (one, inserted[0]["changed_at"], owner, "owner"),
        moved: (one, joined, ana, "actor"),
        odd: (one, oddly, owner, "owner"),
    }
    world.assign(left, None)
    for built in (False, True):
        if built:
            world.execute("drop schema analytics cascade")
            upgrade.up(("analytics",), url=world.url)
        world.sync()
        assert {talk: added(world, talk) for talk in expected} == expected
        oracle.assert_links_right(world)
    again = world.assign(moved, two, f"{UUID(int=9)}")
    world.sync()
    assert added(world, moved) == (two, again, owner, "owner")
    world.execute("insert into app.users (id, name) values (%s, '…')", UUID(int=9))  # replicated later
    world.sync()
    assert added(world, moved) == (two, again, UUID(int=9), "actor")
    world.execute("delete from app.users where id = %s", UUID(int=9))
    world.sync()
    assert added(world, moved) == (two, again, owner, "owner")
    assert world.reconcile().drift.changed == 0


@pytest.mark.parametrize("level", ["statement", "row"])
def test_every_kind_of_statement_records_what_it_changes_and_nothing_else(world: World, level: str) -> None:
    world.sync()
    if level == "row":  # as where a subscription feeds the table
        for operation in ("insert", "update", "delete"):
            world.execute(f"drop trigger convo_pipelines_{operation} on app.conversations")
        world.execute(
            "create trigger convo_pipelines_row after insert or update or delete on app.conversations "
            "for each row execute function analytics.log_conversations()"
        )
    one, two = world.project(), world.project()
    talks = [world.conversation() for _ in range(5)]
    assert assignments(world) == []
    world.execute("update app.conversations set project_id = %s where id = any(%s)", one, talks[:3])
    assert sorted(assignments(world)) == sorted((talk, one) for talk in talks[:3])
    world.execute("truncate curation.project_assignments")
    world.execute(
        "merge into app.conversations as target using unnest(%s::uuid[]) as given (id) on target.id = given.id "
        "when matched and target.id = %s then delete when matched then update set project_id = %s "
        "when not matched then insert (id, channel, project_id) values (given.id, 'email', %s)",
        *([*talks[:3], UUID(int=1)], talks[0], two, two),
    )
    merged = {(talks[0], None), (talks[1], two), (talks[2], two), (UUID(int=1), two)}
    assert set(assignments(world)) == merged
    world.execute("truncate curation.project_assignments")
    world.execute(
        "insert into app.conversations (id, channel, project_id) select given.id, 'email', %s from "
        "unnest(%s::uuid[]) as given (id) on conflict (id) do update set project_id = excluded.project_id",
        *(one, [*talks[2:4], UUID(int=2)]),
    )
    assert set(assignments(world)) == {(talks[2], one), (talks[3], one), (UUID(int=2), one)}
    world.execute("truncate curation.project_assignments")
    world.execute("update app.conversations set project_id = project_id, subject = 'the same'")
    world.execute(
        "update app.conversations set session_id = 'another', crew_id = %s where id = %s", world.crew(), talks[4]
    )
    assert assignments(world) == []
    world.execute("delete from app.projects where id = %s", one)
    assert {(talk, project) for talk, project in assignments(world)} == {
        (talks[2], None),
        (talks[3], None),
        (UUID(int=2), None),
    }


@both_servers_if_wide
def test_a_replaced_assignment_and_that_of_a_deleted_conversation_are_trimmed(world: World) -> None:
    world.tick()
    world.sync()
    one, two = world.project(), world.project()
    kept, moved, gone = (world.conversation(project_id=one) for _ in range(3))
    world.assign(moved, two)
    world.execute("delete from app.conversations where id = %s", gone)
    assert len(assignments(world)) == 5
    for _ in range(2):  # the logs are trimmed up to where every table has read
        world.tick()
        world.sync()
    assert set(assignments(world)) == {(kept, one), (moved, two)}
    world.execute("update app.conversations set project_id = null")
    for _ in range(2):
        world.tick()
        world.sync()
    assert assignments(world) == []


def test_a_forgotten_session_leaves_no_assignment(world: World) -> None:
    world.crew()
    world.say("s1")
    world.tick()
    [talk] = world.execute("select id from app.conversations")
    world.assign(talk["id"], world.project())
    world.execute("delete from app.histories_a; delete from app.conversations")
    world.execute(
        "insert into curation.project_assignments (conversation_id) values (%s)", talk["id"]
    )  # not trimmed yet
    forget.sessions(world.warehouse, "A", "s1")
    assert assignments(world) == []


@both_servers_if_wide
def test_without_the_right_to_record_it_the_statement_succeeds_and_is_logged(world: World) -> None:
    world.sync()
    one = world.project()
    talk = world.conversation()
    world.execute("create role writer; alter function analytics.log_conversations() owner to writer")
    world.execute("grant usage on schema analytics to writer")
    world.execute("grant insert on analytics.conversations_changes to writer")
    world.execute("alter table analytics.conversations_changes owner to writer")
    try:
        with world.warehouse.connection() as connection:
            missing = " ".join(map(str, capture.missing_rights(connection, REGISTRY)))
        assert "writer, which writes curation.project_assignments, may not: grant it insert" in missing
        world.assign(talk, one)
        world.sync()
        assert added(world, talk)[0] == one
        assert assignments(world) == []
        oracle.assert_links_right(world)
        world.execute(
            "grant usage on schema curation to writer; grant insert on curation.project_assignments to writer"
        )
        world.assign(talk, world.project())
        assert len(assignments(world)) == 1
    finally:
        world.execute("reassign owned by writer to current_user; drop owned by writer; drop role writer")


@pytest.mark.wide
def test_an_installation_needs_no_arrays(empty_database: str) -> None:
    upgrade.up(("app",))
    world = World(Warehouse(empty_database))
    world.execute(DROP)
    upgrade.up(("analytics",))
    assert list(validation.validate()) == []
    sizes = sample_data.Sizes(crews=2, sessions=20, conversations=40, people=10, projects=3, days=5)
    sample_data.load(world.warehouse, sizes, 1, at().date())
    world.tick()
    world.sync()
    oracle.assert_right(world)
    assert found(world) == {}
    for name in ("analytics", "app_indexes"):
        assert rollback.down(("analytics",)) == name
    world.close()


def test_arrays_that_come_back_are_read(world: World) -> None:
    world.conversation(project_id=world.project())
    world.execute(DROP)
    world.sync()
    assert found(world) == {}
    world.execute("alter table app.projects add column conversation_ids uuid[]")
    world.sync()
    assert [kind for _, kind in found(world)] == ["missing_from_array"]


@both_servers_if_wide
@pytest.mark.parametrize("statements", range(0, 28, 4))
def test_arrays_that_go_while_a_tick_is_at_work(world: World, statements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = world.conversation(project_id=world.project(UUID(int=7)))
    world.sync()
    world.execute("update app.conversations set project_id = %s where id = %s", world.project(UUID(int=8)), talk)

    def run(warehouse: Warehouse) -> None:
        ticks.tick(warehouse, TABLES["project_link_inconsistencies"], logging.getLogger("test"))

    def drop() -> None:
        with suppress(psycopg.errors.LockNotAvailable):
            world.execute(DROP)

    world.execute("set lock_timeout = '20ms'")
    interleave(world.url, [run], [*[0] * statements, *[1, 0] * 10], drop, monkeypatch)
    drop()
    world.sync()
    assert found(world) == {}
    assert not world.has_news(LINKS)


def test_an_inconsistency_is_kept_while_the_links_of_projects_are_behind(world: World) -> None:
    project, talk = world.project(), world.conversation()
    world.sync()
    world.assign(talk, project)
    world.tick(["project_link_inconsistencies"])
    found = "select * from analytics.project_link_inconsistencies"
    [before] = world.execute(found)
    outcome, _ = ticks.compare(world.warehouse, TABLES["project_link_inconsistencies"], logging.getLogger())
    assert (outcome.drift.changed, outcome.counts.deleted) == (0, 0)
    world.sync()
    [after] = world.execute(found)
    assert after["first_seen_at"] == before["first_seen_at"]


def test_a_project_that_changes_while_reconcile_runs_is_no_drift(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    projects = [world.project(), world.project()]
    talks = [world.conversation(project_id=projects[0]) for _ in range(3)]
    world.sync()
    compare = ticks.compare

    def interrupted(*arguments: Any) -> Any:
        if TABLES["project_link_inconsistencies"] in arguments:
            world.execute("update app.conversations set project_id = %s where id = any(%s)", projects[1], talks[1:])
        return compare(*arguments)

    monkeypatch.setattr(ticks, "compare", interrupted)
    result = world.reconcile()
    assert result.repairs.changed > 0
    assert result.drift.changed == 0
