"""Nothing of a person stays once they are deleted, or forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from convo_pipelines import forget
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import World, at

PHONE, MAIL = "4915112345678", "ana@example.com"
TABLES = "select relname from pg_class where relnamespace = 'analytics'::regnamespace and relkind = 'r'"


def traces(world: World) -> dict[str, list[str]]:
    """The rows of analytics, by table, that hold anything of Ana."""
    found = {
        row["relname"]: [
            held["text"]
            for held in world.execute(f"select held::text as text from analytics.{row['relname']} as held")
            if any(mark in held["text"] for mark in (PHONE, MAIL))
        ]
        for row in world.execute(TABLES)
    }
    return {table: held for table, held in found.items() if held}


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


@both_servers
def test_who_is_deleted_in_the_application_is_gone_with_the_next_tick(crew: World) -> None:
    say(crew, datetime.now(UTC))
    delete(crew)
    assert traces(crew) == {}


@both_servers
def test_what_is_archive_is_gone_once_it_is_forgotten(crew: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    say(crew, at(0))
    delete(crew)
    assert set(traces(crew)) == {"histories_sessions", "oddities", "deleted_conversations"}
    forget.sessions(crew.warehouse, "A", PHONE)
    crew.tick()
    assert traces(crew) == {}
