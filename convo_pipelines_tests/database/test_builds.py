"""First builds, and everything else that reads whole tables, by several workers beside an application that writes."""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest

from convo_pipelines.database import connections
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import chunk_size, chunks, indexes, refresh, spans, ticks, workers
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model import crew_chunks, crews, isolation, scopes
from convo_pipelines.model.tables import TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_modes, both_servers_if_wide
from convo_pipelines_tests.world import LOG, World, at

SAMPLE = 24


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, environment: Callable[..., object]) -> None:
    """Four workers, and so many spans and chunks that they meet."""
    environment(REFRESH_WORKERS="4")
    monkeypatch.setattr(spans, "SPAN_KEYS", 1)
    monkeypatch.setattr(refresh, "CHUNK_KEYS", 3)
    for name, size in {"SMALLEST_CHUNK": 1, "LARGEST_CHUNK": 7}.items():
        monkeypatch.setattr(chunk_size, name, size)
    for name in ("CHUNK_KEYS", "CHUNK_ROWS"):
        monkeypatch.setattr(crew_chunks, name, 5)


def some_day(world: World, number: int) -> None:
    """Conversations of every kind, with wide subjects, so that a few fill a block."""
    talk = world.conversation(subject="subject " * 230)
    message = world.message(talk, when=at(number % 5, number % 20))
    world.recipient(message, f"p{number % 7}@example.com")
    world.say(f"s{number}", "human", at(number % 4, number % 20), "AB"[number % 2])
    world.say("4915112345678", "ai", at(number % 4, 20), "AB"[number % 2])


@pytest.fixture
def filled(new_world: Callable[[], World]) -> World:
    world = new_world()
    world.crew("A")
    world.crew("B")
    for number in range(7):
        world.person(email=f"p{number}@example.com", phone="+4915112345678" if number == 3 else None)
    for number in range(SAMPLE):
        some_day(world, number)
    project = world.project()
    for row in world.execute("select id from app.conversations limit 9"):
        world.assign(row["id"], project)
    return world


def build(world: World) -> None:
    world.tick()
    world.sync()


def assert_all_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


class KilledError(BaseException):
    """What ends a process."""


@contextmanager
def before_each_chunk(monkeypatch: pytest.MonkeyPatch, step: Callable[[], object]) -> Iterator[None]:
    """Take a step before chunks of any worker, one at a time."""
    turn, chunk = threading.Lock(), chunks.chunk

    def after_step(*args: Any) -> Any:
        if turn.acquire(blocking=False):
            try:
                step()
            finally:
                turn.release()
        return chunk(*args)

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "chunk", after_step)
        yield


def build_until_killed(
    world: World, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object], work: Callable[[World], object] = build
) -> None:
    """Work until the step before a chunk kills the process, whose leases expire."""
    with suppress(KilledError), before_each_chunk(monkeypatch, step):
        work(world)
    world.execute("update analytics.refresh_state set lease_until = null, written_by = pg_current_xact_id()")


def death_after(chunks: int) -> Callable[[], None]:
    """What kills the process before the chunk after these."""
    left = iter(range(chunks))

    def die() -> None:
        if next(left, None) is None:
            raise KilledError

    return die


@both_servers_if_wide
@both_modes
def test_a_build_by_several_workers_is_right(filled: World) -> None:
    with filled.warehouse.connection() as connection:
        build(filled)
        assert len(spans.spans_of(connection, TABLES["conversation_summaries"])[0]) > 4
    assert_all_right(filled)


def test_changes_of_most_keys_are_read_as_everything(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    build(filled)
    divided, spans_of = list[str](), spans.spans_of

    def recorded(connection: Connection, table: DerivedTable) -> list[list[spans.Span]]:
        divided.append(table.name)
        return spans_of(connection, table)

    filled.execute("update app.conversations set subject = 'other', started_at = started_at - interval '1 day'")
    filled.execute("delete from app.messages where id in (select id from app.messages limit 20)")
    filled.execute(
        "insert into app.contact_methods (kind, value) "
        "select 'email', n || '@b.example' from generate_series(1, 99) as n"
    )
    filled.execute("update app.people set email = null where id in (select id from app.people limit 3)")
    monkeypatch.setattr(chunks, "FEW_KEYS", 10)
    monkeypatch.setattr(refresh, "spans_of", recorded)
    build(filled)
    assert {"conversation_summaries", "conversation_days", "participant_resolutions"} <= {*divided}
    divided.clear()
    filled.execute("update app.people set email = 'x@b.example' where id in (select id from app.people limit 1)")
    filled.execute("update app.conversations set subject = '3' where id in (select id from app.conversations limit 11)")
    build(filled)
    assert not {"conversation_summaries", "participant_resolutions"} & {*divided}
    assert_all_right(filled)


@pytest.mark.representatives(1)
@both_modes
def test_a_tick_of_most_keys_that_is_killed_or_meets_locked_rows_loses_nothing(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(filled)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    filled.execute("update app.conversations set subject = 'other', started_at = started_at - interval '1 day'")
    filled.execute("update app.people set name = 'other', email = 'x' || email")
    filled.execute("delete from app.messages where id in (select id from app.messages limit 20)")
    build_until_killed(filled, monkeypatch, death_after(9))
    with psycopg.connect(filled.url) as application:
        application.execute("select from analytics.conversation_summaries order by conversation_id limit 5 for update")
        application.execute("select from analytics.participant_resolutions limit 5 for update")
        build(filled)
    build(filled)
    assert_all_right(filled)


@both_servers_if_wide
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.wide), pytest.param(3, marks=pytest.mark.wide)])
def test_what_is_written_beside_a_build_is_right_after_the_next_tick(
    filled: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    numbers = iter(range(SAMPLE, 10 * SAMPLE))

    def write() -> None:
        [row] = filled.execute("select id from app.conversations order by random() limit 1")
        match chance.randrange(6):
            case 0:
                some_day(filled, next(numbers))
            case 1:
                filled.execute("update app.conversations set subject = subject || 'x' where id = %s", row["id"])
            case 2:
                moved = "update app.messages set sent_at = sent_at - interval '1 day' where conversation_id = %s"
                filled.execute(moved, row["id"])
            case 3:
                filled.execute("delete from app.conversations where id = %s and crew_id is null", row["id"])
            case 4:
                renamed = "update app.histories_a set session_id = session_id || 'x' where id = %s"
                filled.execute(renamed, chance.randrange(SAMPLE))
            case _:
                person = f"p{chance.randrange(7)}@example.com"
                filled.execute("update app.people set email = 'p9@example.com' where email = %s", person)

    with before_each_chunk(monkeypatch, write):
        build(filled)
    build(filled)
    assert_all_right(filled)


@pytest.mark.representatives(1)
@both_servers_if_wide
@pytest.mark.parametrize("after", [2, 9, 30])
def test_a_build_that_is_killed_is_built_by_the_next_tick(
    filled: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    build_until_killed(filled, monkeypatch, death_after(after))
    filled.execute("delete from app.histories_a where session_id = 's10'")
    build(filled)
    assert_all_right(filled)


@both_servers_if_wide
def test_a_row_that_is_locked_for_the_whole_build_delays_itself_only(filled: World) -> None:
    [locked] = filled.execute("select id from app.conversations limit 1")
    with psycopg.connect(filled.warehouse.url) as connection:
        connection.execute("select from app.conversations where id = %s for update", [locked["id"]])
        build(filled)
        summaries = filled.execute("select conversation_id as id from analytics.conversation_summaries")
        conversations = filled.execute("select id from app.conversations")
        assert {row["id"] for row in conversations} - {row["id"] for row in summaries} == {locked["id"]}
    build(filled)
    assert_all_right(filled)


@pytest.mark.parametrize("foreign_keys", ["no_keys"], indirect=True)
@pytest.mark.usefixtures("foreign_keys")
def test_reconcile_deletes_rows_whose_key_is_gone(filled: World) -> None:
    build(filled)
    query = "select conversation_id from analytics.conversation_summaries order by 1"
    right = filled.execute(query)
    for table in ("conversation_summaries", "conversation_days", "people_conversations", "clients_conversations"):
        filled.execute(f"update analytics.{table} set conversation_id = gen_random_uuid() where ctid = '(0,1)'")
    filled.reconcile()
    assert filled.execute(query) == right
    assert_all_right(filled)


@both_servers_if_wide
def test_reconcile_by_several_workers_counts_each_damage_once(filled: World) -> None:
    build(filled)
    build(filled)
    filled.execute("update analytics.conversation_summaries set message_count = 99 where source = 'messages'")
    damaged = len(filled.execute("select from analytics.conversation_summaries where source = 'messages'"))
    assert filled.reconcile().tables["conversation_summaries"].drift.updated == damaged
    assert_all_right(filled)


@pytest.mark.representatives(1)
@both_servers_if_wide
@pytest.mark.parametrize("crews", [(), ("A",)])
def test_a_backfill_of_a_window_is_divided_among_workers(
    filled: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, crews: Sequence[str]
) -> None:
    build(filled)
    build(filled)
    filled.execute("update analytics.conversation_summaries set message_count = 99")
    monkeypatch.setattr(workers, "LOG_SECONDS", 0)
    with caplog.at_level("INFO", workers.__name__):
        filled.backfill(at(1).date(), at(2).date(), ["conversation_summaries"], crews)
    assert re.search("conversation_summaries: [0-9]+ % done, about [0-9]+ s left", caplog.text)
    left = filled.execute(
        "select distinct crew_code::text from analytics.conversation_summaries left join app.crews on id = crew_id"
        " where message_count = 99 and started_at < %s and ended_at >= %s",
        at(3, 0),
        at(1, 0),
    )
    assert {row["crew_code"] for row in left} == ({"B", None} if crews else set())
    filled.reconcile()
    assert_all_right(filled)


def test_who_refreshes_single_keys_waits_for_the_chunks_of_workers(filled: World) -> None:
    """So that no older row overwrites a newer one."""
    build(filled)
    table = TABLES["conversation_summaries"]
    with psycopg.connect(filled.warehouse.url) as connection:
        connection.execute("select pg_advisory_xact_lock_shared(hashtextextended('conversation_summaries', 0))")
        done: list[Any] = []
        [some] = filled.execute("select id from app.conversations limit 1")
        asked = threading.Thread(target=lambda: done.append(read(filled, table, some["id"])))
        asked.start()
        time.sleep(0.3)
        assert not done
        connection.commit()
        asked.join(30)
    assert done


def read(world: World, table: Any, conversation: UUID) -> Any:
    return refresh.read_asked(world.warehouse, table, scopes.asked(conversation_ids=[conversation]))


@both_servers_if_wide
def test_a_table_that_has_begun_to_read_gets_what_is_built_meanwhile(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build of summaries begins between two chunks of sessions; it must not lose the sessions that come later."""
    monkeypatch.setattr(crews, "SMALL_ROWS", -1)
    filled.tick(["histories_sessions", "crew_conversations"])
    filled.execute("delete from analytics.histories_sessions")
    filled.execute("update analytics.refresh_state set snapshot = null where asset_key = 'histories_sessions'")
    filled.execute("update analytics.refresh_state set written_by = pg_current_xact_id()")
    numbers = iter(range(1_000))

    def begin() -> None:
        if next(numbers) == 3:
            nested.append(ticks.tick(other, TABLES["conversation_summaries"], LOG))

    nested: list[Any] = []
    other = Warehouse(filled.warehouse.url)
    with before_each_chunk(monkeypatch, begin):
        filled.tick(["histories_sessions"])
    other.close()
    assert nested
    build(filled)
    assert_all_right(filled)


@both_servers_if_wide
@pytest.mark.parametrize("together", [1, 10_000])
def test_small_tables_are_built_together_and_a_broken_one_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(isolation, "TOGETHER_ROWS", together)
    codes = [f"C{number:02}" for number in range(9)]
    for code in codes:
        world.crew(code)
        world.say("s1", "human", at(), code)
        world.say("s2", "robot", at(1), code)
        world.say(None, "human", at(2), code)
    world.execute("alter table app.histories_c03 rename column message to body")
    results = world.tick(["histories_sessions"])["histories_sessions"].parts
    assert [result.crew.code for result in results if result.error] == ["C03"]
    odd = world.execute("select kind, crew_id from analytics.oddities where asset_key = 'histories_sessions'")
    assert sorted({row["kind"] for row in odd}) == ["messages of no known type", "rows without a session_id"]
    assert len(odd) == 2 * 8
    world.execute("alter table app.histories_c03 rename column body to message")
    world.tick()
    oracle.assert_right(world)


@pytest.mark.representatives(1)
@both_servers_if_wide
@pytest.mark.parametrize("relation", ["app.conversations", "analytics.conversation_summaries"])
def test_rows_that_are_moved_to_another_file_beside_a_build_are_read(
    filled: World, monkeypatch: pytest.MonkeyPatch, relation: str
) -> None:
    filled.tick(["histories_sessions", "crew_conversations", "conversation_summaries"])
    filled.execute("delete from analytics.conversation_summaries where ctid < '(0,20)'")
    filled.execute("update analytics.refresh_state set snapshot = null, written_by = pg_current_xact_id()")
    numbers = iter(range(1_000))

    def move() -> None:
        if next(numbers) == 3:
            filled.execute(f"vacuum full {relation}")

    for table in ("conversation_summaries", "conversation_days"):
        with before_each_chunk(monkeypatch, move):
            filled.tick([table])
        numbers = iter(range(1_000))
    build(filled)
    build(filled)
    assert_all_right(filled)


@both_servers_if_wide
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_deletion_before_the_build_of_conversations_is_not_forgotten_by_it(
    filled: World, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    [crew] = filled.execute("select id from app.crews where crew_code = 'A'")
    filled.tick(["histories_sessions"])
    filled.conversation("crew", crew_id=crew["id"], session_id="s0", external_id="s0")
    filled.execute("delete from app.conversations where session_id = 's0'")
    filled.tick(["histories_sessions"])
    other = Warehouse(filled.warehouse.url)

    def beside() -> None:
        ticks.tick(other, TABLES["histories_sessions"], LOG)
        if is_killed:
            raise KilledError

    build_until_killed(filled, monkeypatch, beside, lambda world: world.tick(["crew_conversations"]))
    other.close()
    build(filled)
    oracle.assert_right(filled, {(crew["id"], "s0")})


@both_servers_if_wide
@pytest.mark.parametrize("foreign_keys", ["no_keys"], indirect=True)
def test_rows_of_tables_that_inherit_are_read(filled: World) -> None:
    filled.execute("create table app.more_conversations () inherits (app.conversations)")
    filled.execute("alter table app.messages drop constraint messages_conversation_id_fkey")
    filled.execute(
        "insert into app.more_conversations (id, channel, started_at) "
        "select gen_random_uuid(), 'email', %s from generate_series(1, 500)", at(),
    )  # fmt: skip
    filled.execute(
        "insert into app.messages (conversation_id, direction, sent_at) "
        "select id, 'inbound', started_at from app.more_conversations",
    )  # fmt: skip
    build(filled)
    assert len(filled.execute("select from analytics.conversation_summaries")) > 500
    oracle.assert_right(filled)


INDEXES = (
    "select indexrelid::regclass::text from pg_index where indisvalid and indrelid::regclass::text like 'analytics.%'"
)


def test_a_large_table_gets_its_indexes_when_it_is_full(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "MANY_KEYS", 1)
    before = filled.execute(INDEXES)
    fewest = [before]

    def look() -> None:
        fewest[0] = min(fewest[0], filled.execute(INDEXES), key=len)
        if len(fewest[0]) < len(before) and not dead:
            dead.append(True)
            raise KilledError

    dead: list[bool] = []
    build_until_killed(filled, monkeypatch, look)
    assert dead
    assert filled.execute("select from analytics.deferred_indexes")
    with before_each_chunk(monkeypatch, look):
        build(filled)
    assert len(before) - len(fewest[0]) >= 4
    assert sorted(row["indexrelid"] for row in filled.execute(INDEXES)) == sorted(row["indexrelid"] for row in before)
    assert filled.execute("select from analytics.deferred_indexes") == []
    assert_all_right(filled)


def test_an_index_that_an_open_transaction_holds_up_is_made_by_reconcile(
    filled: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexes, "MANY_KEYS", 1)
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    before = filled.execute(INDEXES)
    filled.tick(["histories_sessions", "crew_conversations"])
    with psycopg.connect(filled.warehouse.url) as other:
        other.execute("set transaction isolation level repeatable read")
        other.execute("select from app.clients")
        filled.tick(["conversation_summaries"])
    assert "could not be made" in caplog.text
    assert filled.execute("select from analytics.deferred_indexes")
    filled.reconcile()
    filled.reconcile()
    assert sorted(row["indexrelid"] for row in filled.execute(INDEXES)) == sorted(row["indexrelid"] for row in before)
    assert_all_right(filled)
