"""A client moves to another database: what cannot be computed again there comes along by a file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import moves
from convo_pipelines.operations.moves import MoveError
from convo_pipelines.sources import n8n
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

OF_THE_APPLICATION = (
    "clients", "crews", "people", "contact_methods", "users", "projects", "conversations", "messages",
    "message_recipients",
)  # fmt: skip
OWN = {"id", "created_at", "updated_at", "refreshed_at", "resolved_at", "first_seen_at", "last_seen_at", "archived_at"}
"""Columns that say when a database wrote the row, not what is so."""
MOVED = {"sessions": 1, "tombstones": 1, "decisions": 2, "assignments": 2}


def live(world: World) -> None:
    """A client with an archive, a deleted conversation, decisions, and conversations in projects."""
    world.crew()
    for session, day in (("4915112345678", 0), ("deleted", 20), ("4915187654321", 40)):
        for kind, hour in (("human", 9), ("ai", 10)):
            world.say(session, kind, at(day, hour))
    ana, bob = (world.person(email=f"{name}@example.com") for name in ("ana", "bob"))
    talk, other = world.conversation(), world.conversation()
    contact = world.contact("office@example.com")
    world.address(talk, contact)
    first = world.decide(contact, bob, "never")
    world.execute("update curation.participant_decisions set revoked_at = now() where id = %s", first)
    world.decide(contact, ana)
    user = world.insert("users", name="Kim")
    world.assign(talk, world.project(), str(user))
    world.assign(other, world.project())
    world.message(other)
    world.tick()
    world.sync()
    world.execute("delete from app.conversations where session_id = 'deleted'")
    world.execute("delete from app.histories_a where session_id = '4915112345678'")
    world.tick()
    world.sync()


@pytest.fixture
def old(new_world: Callable[..., World], archive_after: Callable[[int], None]) -> World:
    archive_after(7)
    return new_world(live)


def move_rows(old: World, new: World) -> None:
    """What the application's owner does: copy its rows of the client."""
    if not new.execute("select to_regclass('app.histories_a') is not null as is_there")[0]["is_there"]:
        n8n.create_table(new.connection, "histories_a")
    for table in (*OF_THE_APPLICATION, "histories_a"):
        overriding = "" if table != "histories_a" else "overriding system value"
        names = {"table": sql.Identifier("app", table), "overriding": sql.SQL(overriding)}
        rows = old.connection.execute(sql.SQL("select to_jsonb(r) as row from {table} as r").format(**names)).fetchall()
        insert = "insert into {table} {overriding} select (jsonb_populate_record(null::{table}, %s)).*"
        for row in rows:
            new.connection.execute(sql.SQL(insert).format(**names), [Jsonb(row["row"])])
    new.execute("select setval(pg_get_serial_sequence('app.histories_a', 'id'), 1000)")
    new.tables |= old.tables


def derived(world: World) -> dict[str, list[str]]:
    """The derived tables' rows, as texts."""
    return {
        table.name: sorted(
            str({name: value for name, value in row.items() if name not in OWN})
            for row in world.execute(f"select * from {table.target}")
        )
        for table in DERIVED_TABLES
    }


@both_servers_if_wide
def test_a_moved_client_is_the_same_there(old: World, new_world: Callable[..., World], tmp_path: Path) -> None:
    new, file = new_world(), tmp_path / "c1"
    assert moves.export_client(old.warehouse, "C1", file) == sum(MOVED.values())
    move_rows(old, new)
    assert moves.import_client(new.warehouse, file) == MOVED
    new.tick()
    new.sync()
    for table, rows in derived(old).items():
        assert derived(new)[table] == rows, table
    assert moves.import_client(new.warehouse, file) == dict.fromkeys(MOVED, 0)
    new.tick()
    new.sync()
    assert derived(new) == derived(old)
    for world in (old, new):
        world.say("deleted", "human", at(60))
        world.tick()
        world.sync()
        assert world.execute("select from app.conversations where session_id = 'deleted'")
    assert new.reconcile().drift.changed == 0


def test_what_was_done_there_since_stays(old: World, new_world: Callable[..., World], tmp_path: Path) -> None:
    new, file = new_world(), tmp_path / "c1"
    moves.export_client(old.warehouse, "C1", file)
    move_rows(old, new)
    new.tick()
    new.sync()
    [moved] = new.execute("select id from app.conversations where project_id is not null limit 1")
    other = new.project()
    new.assign(moved["id"], other)
    for _ in range(3):
        new.say("4915112345678", "human", at(0, 20))
    new.tick()
    assert moves.import_client(new.warehouse, file)["assignments"] == 1
    new.tick()
    new.sync()
    [link] = new.execute(
        "select project_id from analytics.project_conversations where conversation_id = %s", moved["id"]
    )
    assert link["project_id"] == other
    [day] = new.execute("select message_count from analytics.histories_sessions where session_id = '4915112345678'")
    assert day["message_count"] == 3


def test_a_file_is_imported_whole_or_not_at_all(old: World, new_world: Callable[..., World], tmp_path: Path) -> None:
    new, file = new_world(), tmp_path / "c1"
    moves.export_client(old.warehouse, "C1", file)
    with pytest.raises(MoveError, match=r"names what is not in this database: .*; move the application's rows before"):
        moves.import_client(new.warehouse, file)
    move_rows(old, new)
    whole = file.read_bytes()
    for cut in (b"", b"{}", whole[: len(whole) // 2], whole.rpartition(b"{")[0]):
        file.write_bytes(cut)
        with pytest.raises(MoveError, match="is not a complete export of a client"):
            moves.import_client(new.warehouse, file)
    assert new.execute("select from curation.participant_decisions") == []
    with pytest.raises(MoveError, match="there is no client C9"):
        moves.export_client(old.warehouse, "C9", file)
