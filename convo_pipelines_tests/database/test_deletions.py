"""A deleted conversation of a crew comes back with messages that the deleting transaction did not see."""

import logging
import os
import random
from collections.abc import Callable
from functools import partial

import psycopg
import pytest

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, ticks
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model import reconcile
from convo_pipelines.model.tables import CREW_CONVERSATIONS, DERIVED_TABLES, DISCOVERY, HISTORIES_SESSIONS, REGISTRY
from convo_pipelines.serving.sessions import SessionKey, complete
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

log = logging.getLogger("test")
DELETE = "delete from app.conversations where session_id = %s"


def tick(warehouse: Warehouse) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, log)


def backfill(warehouse: Warehouse) -> None:
    for table in DISCOVERY:
        ticks.backfill(warehouse, table, Window.of_days(at(-1).date(), at(2).date()), log)


def read_everything(warehouse: Warehouse) -> None:
    assert reconcile.run(warehouse, log).drift.changed == 0


def request(warehouse: Warehouse) -> None:
    complete(warehouse, [SessionKey("A", session) for session in SESSIONS])


def collapse(warehouse: Warehouse) -> None:
    with warehouse.connection() as connection:
        change_log._collapse(connection, REGISTRY)


RUNS: tuple[Callable[[Warehouse], None], ...] = (tick, backfill, read_everything, request)
SESSIONS = ("s1", "s2")


def conversations(world: World) -> set[str]:
    return {row["session_id"] for row in world.execute("select session_id from app.conversations")}


@pytest.fixture
def chat(world: World) -> World:
    """A session with a conversation."""
    world.crew()
    world.say("s1")
    tick(world.warehouse)
    return world


@pytest.mark.representatives(2)
@both_servers_if_wide
@pytest.mark.parametrize("read", RUNS)
def test_a_message_that_was_written_before_the_deletion_is_not_new(chat: World, read: Callable[..., None]) -> None:
    chat.say("s1", when=at(0, 13))
    chat.execute(DELETE, "s1")
    read(chat.warehouse)
    tick(chat.warehouse)
    read_everything(chat.warehouse)
    assert conversations(chat) == set()
    chat.say("s1", when=at(0, 1))
    read(chat.warehouse)
    assert conversations(chat) == {"s1"}
    tick(chat.warehouse)
    oracle.assert_right(chat)
    assert not chat.execute("select from analytics.deleted_conversations")


@pytest.mark.representatives(2)
@pytest.mark.parametrize("read", [tick, request, *[pytest.param(run, marks=pytest.mark.wide) for run in RUNS[1:3]]])
@pytest.mark.parametrize("is_late", [False, True])
def test_a_message_that_an_open_transaction_did_not_see_is_new(
    chat: World, read: Callable[..., None], is_late: bool
) -> None:
    if not is_late:
        chat.say("s1", when=at(0, 13))
    with psycopg.connect(chat.url) as application:
        application.execute(DELETE, ["s1"])
        if is_late:
            chat.say("s1", when=at(0, 13))
        read(chat.warehouse)
        tick(chat.warehouse)
    tick(chat.warehouse)
    assert conversations(chat) == ({"s1"} if is_late else set())
    read_everything(chat.warehouse)
    assert conversations(chat) == ({"s1"} if is_late else set())


def test_clocks_decide_nothing(chat: World) -> None:
    chat.say("s1", when=at(0, 13))
    chat.execute(DELETE, "s1")
    chat.execute("update analytics.session_changes set logged_at = logged_at + interval '1 hour'")
    tick(chat.warehouse)
    assert conversations(chat) == set()
    chat.execute("update analytics.deleted_conversations set deleted_at = deleted_at + interval '1 hour'")
    chat.say("s1", when=at(0, 14))
    chat.execute("update analytics.session_changes set logged_at = logged_at - interval '2 hours'")
    tick(chat.warehouse)
    assert conversations(chat) == {"s1"}


def test_what_the_deleting_transaction_itself_wrote_is_not_new(chat: World) -> None:
    with chat.connection.transaction():
        chat.say("s1", when=at(0, 13))
        chat.execute(DELETE, "s1")
    tick(chat.warehouse)
    assert conversations(chat) == set()


def test_a_correction_of_a_message_is_not_new_but_one_that_moves_in_is(chat: World) -> None:
    chat.say("s2")
    chat.say("s1", when=at(0, 13))
    chat.execute(DELETE, "s1")
    chat.execute("update app.histories_a set message = '{\"type\": \"ai\"}' where session_id = 's1'")
    tick(chat.warehouse)
    assert conversations(chat) == {"s2"}
    chat.execute("update app.histories_a set session_id = 's1' where session_id = 's2'")
    tick(chat.warehouse)
    assert "s1" in conversations(chat)


def test_a_truncation_deletes_the_conversations_there_are(chat: World) -> None:
    for session in ("s1", "s2"):
        chat.say(session, when=at(0, 13))
    chat.execute("truncate app.conversations cascade")
    tick(chat.warehouse)
    read_everything(chat.warehouse)
    assert conversations(chat) == {"s2"}
    chat.say("s1")
    tick(chat.warehouse)
    oracle.assert_right(chat)


@both_servers_if_wide
@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("locked", ["session-days", "crew"])
def test_retries_know_who_wrote_the_messages(chat: World, locked: str, is_new: bool) -> None:
    """The tick after sees the message as that of its own transaction, not that of the retry."""
    lock = {
        "session-days": "select from analytics.histories_sessions for update",
        "crew": "select from app.crews for update",
    }[locked]
    if is_new:
        chat.execute(DELETE, "s1")
    chat.say("s1", when=at(0, 13))
    if not is_new:
        chat.execute(DELETE, "s1")
    with psycopg.connect(chat.url) as application:
        application.execute(lock)
        tick(chat.warehouse)
        tick(chat.warehouse)
    tick(chat.warehouse)
    assert conversations(chat) == ({"s1"} if is_new else set())


@both_servers_if_wide
@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("is_read", [False, True])
def test_a_log_that_collapses_loses_no_decision(chat: World, is_read: bool, is_new: bool) -> None:
    if is_new:
        chat.execute(DELETE, "s1")
    chat.say("s1", when=at(0, 13))
    if not is_new:
        chat.execute(DELETE, "s1")
    if is_read:
        ticks.tick(chat.warehouse, HISTORIES_SESSIONS, log)
    collapse(chat.warehouse)
    tick(chat.warehouse)
    assert conversations(chat) == ({"s1"} if is_new else set())
    chat.say("s1", when=at(0, 14))
    tick(chat.warehouse)
    oracle.assert_right(chat)


@pytest.mark.representatives(2)
@pytest.mark.parametrize("rebuilt", [[CREW_CONVERSATIONS.name], [HISTORIES_SESSIONS.name, CREW_CONVERSATIONS.name]])
@pytest.mark.parametrize("is_new", [False, True])
def test_tables_that_are_built_anew_follow_the_same_rule(chat: World, rebuilt: list[str], is_new: bool) -> None:
    forget = "update analytics.refresh_state set snapshot = null, written_by = pg_current_xact_id()"
    chat.execute(f"{forget} where asset_key = any(%s)", rebuilt)
    if is_new:
        chat.execute(DELETE, "s1")
    chat.say("s1", when=at(0, 13))
    if not is_new:
        chat.execute(DELETE, "s1")
    tick(chat.warehouse)
    assert conversations(chat) == ({"s1"} if is_new else set())
    read_everything(chat.warehouse)


class Story:
    """Transactions that write messages and delete conversations; and which sessions have new messages."""

    def __init__(self, world: World):
        self.world, self.number = world, 0
        self.writers: list[tuple[psycopg.Connection[object], set[str]]] = []
        self.new = dict.fromkeys(SESSIONS, True)
        self.deleting: dict[str, psycopg.Connection[object]] = {}
        world.crew()
        for session in SESSIONS:
            world.say(session)
        tick(world.warehouse)

    def begin(self) -> None:
        if len(self.writers) < 3:
            self.writers.append((psycopg.connect(self.world.url), set()))

    def say(self, chance: random.Random) -> None:
        if not self.writers:
            return
        connection, said = chance.choice(self.writers)
        session = chance.choice(SESSIONS)
        self.number += 1
        query = "insert into app.histories_a (session_id, message, created_at) values (%s, '{}', %s)"
        connection.execute(query, [session, at(0, chance.random() * 20)])
        said.add(session)

    def delete(self, chance: random.Random) -> None:
        """What the deleting transaction sees when it deletes is old, and so are its own messages."""
        session = chance.choice(SESSIONS)
        if not self.writers or session in self.deleting:
            return
        connection, _ = chance.choice(self.writers)
        if connection.execute(DELETE, [session]).rowcount:
            self.deleting[session], self.new[session] = connection, False

    def end(self, chance: random.Random) -> None:
        if not self.writers:
            return
        writer = chance.choice(self.writers)
        self.writers.remove(writer)
        connection, said = writer
        connection.commit()
        for session in said:
            self.new[session] |= self.deleting.get(session) is not connection
        self.deleting = {session: deleter for session, deleter in self.deleting.items() if deleter is not connection}
        connection.close()

    def run(self, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        acts = [*[self.begin, lambda: self.say(chance), lambda: self.delete(chance), lambda: self.end(chance)] * 2]
        runs = [*RUNS, *[partial(ticks.tick, table=table, log=log) for table in DISCOVERY[:2]], collapse]
        for _ in range(steps):
            if chance.random() < 0.75:
                chance.choice(acts)()
            else:
                chance.choice(runs)(self.world.warehouse)
        while self.writers:
            self.end(chance)
        tick(self.world.warehouse)
        assert conversations(self.world) == {session for session, is_new in self.new.items() if is_new}
        read_everything(self.world.warehouse)
        assert conversations(self.world) == {session for session, is_new in self.new.items() if is_new}
        oracle.assert_right(self.world, oracle.without_conversation(self.world))


STORIES = int(os.environ.get("DELETION_STORIES", "6"))


@pytest.mark.representatives(2)
@pytest.mark.parametrize("seed", range(STORIES))
def test_whatever_is_written_deleted_and_read_in_between(world: World, seed: int) -> None:
    Story(world).run(seed, 40)
