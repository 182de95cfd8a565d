"""Nothing of a person stays once they are deleted, or forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from convo_pipelines.database import connections
from convo_pipelines.engine import leases
from convo_pipelines.model.crews import CrewError
from convo_pipelines.model.tables import TABLES
from convo_pipelines.operations import forget
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.interleaving import write_before
from convo_pipelines_tests.world import World, at

PHONE, MAIL = "4915112345678", "ana@example.com"
NAMES = "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r'"


def found_in(url: str, schema: str, *marks: str) -> dict[str, list[str]]:
    """The rows of a schema, by table, that hold one of the marks."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(NAMES, [schema])]
        found = {
            table: [
                held
                for (held,) in connection.execute(f"select held::text from {schema}.{table} as held")
                if any(mark in held.lower() for mark in marks)
            ]
            for table in tables
        }
    return {table: held for table, held in found.items() if held}


def traces(world: World) -> dict[str, list[str]]:
    """The rows of analytics, by table, that hold anything of Ana."""
    return found_in(world.url, "analytics", PHONE, MAIL)


def say(world: World, when: datetime) -> None:
    """What Ana says, and an odd row of hers."""
    world.say(PHONE, "human", when)
    world.say_raw(PHONE, "[]", when)
    person = world.person(email=MAIL, phone=f"+{PHONE}")
    world.address(world.conversation(subject=f"of {MAIL}"), world.contact(MAIL.upper(), person))
    for _ in range(2):
        world.tick()
        world.sync()
    assert {"histories_sessions", "identifiers", "oddities"} <= set(traces(world))


def delete(world: World) -> None:
    """The application deletes all it has of Ana; ticks run."""
    world.execute("delete from app.histories_a")
    world.execute("delete from app.messages")
    world.execute("delete from app.conversations")
    world.execute("delete from app.contact_methods")
    world.execute("delete from app.people")
    for _ in range(2):
        world.tick()
        world.sync()
        world.has_news()


@pytest.fixture
def crew(world: World) -> World:
    world.crew()
    return world


@both_servers_if_wide
def test_who_is_deleted_in_the_application_is_gone_with_the_next_tick(crew: World) -> None:
    say(crew, datetime.now(UTC))
    delete(crew)
    assert traces(crew) == {}


@both_servers_if_wide
def test_what_is_archive_is_gone_once_it_is_forgotten(crew: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    say(crew, at(0))
    delete(crew)
    assert set(traces(crew)) == {"histories_sessions", "oddities", "deleted_conversations"}
    forget.sessions(crew.warehouse, "A", PHONE)
    crew.tick()
    assert traces(crew) == {}


@both_servers_if_wide
def test_a_client_is_forgotten_with_all_sessions_of_all_of_its_crews(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    for code, client in (("A", "C1"), ("B", "C1"), ("Off", "C1"), ("X", "C2")):
        world.crew(code, client=client)
        world.say("s1", "human", at(), code)
    world.tick()
    world.execute("update app.crews set is_active = false where crew_code = 'Off'")
    world.execute("delete from app.histories_a; delete from app.conversations where crew_id is not null")
    for left, crew in (("histories_b", "B"), ("histories_off", "Off")):
        with pytest.raises(forget.StillThereError, match=f"app.{left} still has messages of sessions of crew {crew}"):
            forget.client(world.warehouse, "C1")
        world.execute(f"delete from app.{left}")
    days = "select crew_code from analytics.histories_sessions join app.crews on crews.id = crew_id order by 1"
    assert [row["crew_code"] for row in world.execute(days)] == ["A", "B", "Off", "X"]
    assert forget.client(world.warehouse, "C1")["session_days"] == 3
    assert forget.client(world.warehouse, "C1")["session_days"] == 0
    world.tick()
    for table in ("histories_sessions", "crew_activity_daily"):
        left = world.execute(f"select crews.crew_code from analytics.{table} join app.crews on crews.id = crew_id")
        assert left == [{"crew_code": "X"}], table
    world.client("C3")
    with pytest.raises(CrewError, match="no crew has the client code C3; there are: C1, C2"):
        forget.client(world.warehouse, "C3")


@both_servers_if_wide
def test_a_client_of_whom_half_is_forgotten_is_forgotten_by_running_it_again(
    world: World, archive_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_after(7)
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    for code in "AB":
        crew = world.crew(code)
        world.say("s1", "human", at(), code)
    world.tick()
    world.execute("delete from app.histories_a; delete from app.histories_b; delete from app.conversations")
    world.tick()
    with psycopg.connect(world.url) as analyst:
        analyst.execute(f"select from analytics.histories_sessions where crew_id = '{crew}' for update")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            forget.client(world.warehouse, "C1")
    assert len(world.execute("select from analytics.histories_sessions")) == 1
    assert forget.client(world.warehouse, "C1")["session_days"] == 1
    assert world.execute("select from analytics.histories_sessions") == []


def test_what_is_written_beside_forgetting_is_read(
    world: World, archive_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_after(7)
    for code, when in (("A", at()), ("B", datetime.now(UTC))):
        world.crew(code)
        world.say("s1", "human", when, code)
    world.tick()
    world.execute("delete from app.histories_a; delete from app.histories_b; delete from app.conversations")
    world.tick()
    write_before(
        "delete from analytics.histories_sessions",
        lambda: world.say("new", "human", datetime.now(UTC), "B"),
        monkeypatch,
    )
    with pytest.raises(forget.StillThereError, match=r"still has messages of sessions of crew B.+before: A"):
        forget.client(world.warehouse, "C1")
    world.tick()
    oracle.assert_right(world)
    assert world.execute("select session_id from analytics.histories_sessions") == [{"session_id": "new"}]


def test_a_table_that_another_process_ticks_reads_what_is_forgotten_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "WAIT_SECONDS", 0)
    world.crew()
    for session in ("s1", "s2"):
        world.say(session, "human", datetime.now(UTC))
    world.tick()
    world.execute("delete from app.histories_a where session_id = 's1'")
    world.execute("delete from app.conversations where session_id = 's1'")
    with (
        leases.hold(world.warehouse, [TABLES["crew_activity_daily"]]),
        pytest.raises(forget.StillThereError, match="another process is running ticks of crew_activity_daily"),
    ):
        forget.sessions(world.warehouse, "A", "s1")
    assert forget.sessions(world.warehouse, "A", "s1") == {"session_days": 0, "summaries": 0, "links": 0}
    world.tick()
    oracle.assert_right(world)


def test_a_session_that_comes_back_beside_forgetting_is_not_forgotten(
    world: World, archive_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written between the ticks and the deletion, and read by another process."""
    archive_after(7)
    world.crew()
    world.say("s1", "human", at())
    world.tick()
    world.execute("delete from app.histories_a; delete from app.conversations")
    world.tick()

    def come_back() -> None:
        world.say("s1", "human", datetime.now(UTC))
        world.tick(["histories_sessions"])
        world.execute("delete from app.histories_a")

    write_before("select from app.conversations", come_back, monkeypatch)
    with pytest.raises(forget.StillThereError, match="histories_sessions has not read all changes of crew A yet"):
        forget.sessions(world.warehouse, "A")
    world.tick()
    world.execute("delete from app.conversations")
    forget.sessions(world.warehouse, "A")
    assert world.execute("select from analytics.histories_sessions") == []
