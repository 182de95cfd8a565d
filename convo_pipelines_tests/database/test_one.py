"""A person, a conversation or a session is made right at once, in all tables, whatever the log says."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import main, refresh
from convo_pipelines.model.crews import CrewError
from convo_pipelines.operations.pipeline import UnknownError, refresh_one
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World

NAMED_BY = {
    "histories_sessions": "session_id",
    "conversation_summaries": "conversation_id",
    "participant_resolutions": "contact_method_id",
    "people_conversations": "conversation_id",
    "clients_conversations": "conversation_id",
}
"""Tables, and the column that says whose a row is."""
NAMES = {"ben": ("ben@b.example", " Ben@b.example"), "zoe": ("shared@example.com", "SHARED@example.com")}
"""Their addresses, and their sessions."""
DAMAGE = (
    "update analytics.histories_sessions set message_count = 7",
    "update analytics.conversation_summaries set message_count = 7",
    "update analytics.participant_resolutions set candidate_count = 7",
    "delete from analytics.people_conversations",
    "delete from analytics.clients_conversations",
)


@pytest.fixture
def ids(world: World) -> dict[str, Any]:
    """An e-mail to Ben and his chat, and the same of Zoe, refreshed; then every table is damaged."""
    world.crew()
    found: dict[str, Any] = {}
    for name, (address, session) in NAMES.items():
        person, talk, contact = world.person(email=address), world.conversation(), world.contact(address)
        world.address(talk, contact)
        world.say(session)
        found |= {name: person, f"{name}'s e-mail": talk, f"{name}'s address": contact}
    world.tick()
    world.sync()
    for name, (_, session) in NAMES.items():
        [chat] = world.execute("select id from app.conversations where session_id = %s", session)
        found[f"{name}'s chat"] = chat["id"]
    for damage in DAMAGE:
        world.execute(damage)
    return found


def wrong(world: World, ids: dict[str, Any]) -> dict[str, set[str]]:
    """Whose rows differ from their recomputation, in each table."""
    name_of = {value: name for name, value in ids.items()}
    name_of |= {session: f"{name}'s chat" for name, (_, session) in NAMES.items()}
    differences: dict[str, set[str]] = {}
    for table, named_by in NAMED_BY.items():
        columns, recompute = oracle.RECOMPUTED[table]
        found = oracle.rounded(oracle.rows(world, f"analytics.{table}", columns))
        different = found ^ oracle.rounded(recompute(world))
        differences[table] = {name_of[row[columns.index(named_by)]] for row in different}
    return differences


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("person", {"ben's e-mail", "ben's chat", "ben's address"}),
        ("conversation", {"ben's e-mail", "ben's address"}),
        ("chat", {"ben's chat", "ben's address"}),
        ("session", {"ben's chat", "ben's address"}),
    ],
)
def test_one_is_made_right_and_no_other(world: World, ids: dict[str, Any], asked: str, right: set[str]) -> None:
    before = wrong(world, ids)
    assert all(before.values())
    match asked:
        case "person":
            refresh_one(world.warehouse, person=ids["ben"])
        case "conversation":
            refresh_one(world.warehouse, conversation=ids["ben's e-mail"])
        case "chat":
            refresh_one(world.warehouse, conversation=ids["ben's chat"])
        case _:
            refresh_one(world.warehouse, session=("A", NAMES["ben"][1]))
    assert wrong(world, ids) == {table: names - right for table, names in before.items()}
    world.reconcile()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


def test_a_new_person_is_linked_to_former_conversations_at_once(world: World) -> None:
    world.crew()
    mail = world.conversation()
    world.address(mail, world.contact("ben@example.com"))
    world.say("4915112345678")
    world.tick()
    world.sync()
    assert world.linked() == set()
    ben = world.person(email="ben@example.com", phone="+49 151 12345678")
    done = refresh_one(world.warehouse, person=ben)
    [chat] = world.execute("select id from app.conversations where crew_id is not null")
    assert world.linked() == {(ben, mail), (ben, chat["id"])}
    assert done.tables["people_conversations"].counts.inserted == 2
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


def test_a_session_that_was_never_read_gets_its_conversation_and_its_days_at_once(world: World) -> None:
    world.crew()
    world.tick()
    world.sync()
    world.say("s1")
    world.say("s2")
    refresh_one(world.warehouse, session=("A", "s1"))
    assert oracle.rows(world, "analytics.conversation_summaries", ["session_id"]) == {("s1",)}
    assert oracle.rows(world, "analytics.client_activity_daily", ["sessions"]) == {(1,)}
    assert oracle.rows(world, "analytics.crew_activity_daily", ["sessions"]) == {(1,)}


def test_what_there_is_not_is_named(world: World) -> None:
    world.crew()
    nobody = UUID(int=7)
    for asked, message in (
        ({"person": nobody}, f"there is no person {nobody}"),
        ({"conversation": nobody}, f"there is no conversation {nobody}"),
        ({"session": ("A", "s1")}, "crew A has no session 's1'"),
    ):
        with pytest.raises(UnknownError, match=message):
            refresh_one(world.warehouse, **asked)
    with pytest.raises(CrewError, match="no active crew has the code B"):
        refresh_one(world.warehouse, session=("B", "s1"))


def test_the_command_prints_what_was_done_and_what_is_locked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "Warehouse", lambda: world.warehouse)

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["refresh", *arguments])
        return done.exit_code, " ".join(done.output.split())

    world.crew()
    world.tick()
    world.sync()
    world.say("s1")
    ana = world.person(email="ana@example.com")
    world.address(world.conversation(), world.contact("ana@example.com"))
    assert run("--session", "s1", "--crew", "A")[0] == 0
    assert oracle.rows(world, "analytics.conversation_summaries", ["session_id"]) == {("s1",)}
    with psycopg.connect(world.url) as other:
        other.execute("select from app.people for update")
        code, output = run("--person", str(ana))
        assert code == 1
        assert "locked by another session; the next tick refreshes them" in output
    assert run("--person", str(ana))[0] == 0
    assert {person for person, _ in world.linked()} == {ana}
