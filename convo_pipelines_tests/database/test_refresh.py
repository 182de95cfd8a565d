"""Sessions, conversations and summaries: rows in, materialize, rows out."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from convo_pipelines.database.execution import fetch
from convo_pipelines.engine import chunk_size, chunks, refresh, work
from convo_pipelines.model import crew_chunks, crews, histories, isolation
from convo_pipelines.settings import settings
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import PIPELINE, World, at

MARCH = date(2026, 3, 10)


def chat(world: World, session: str = "s1", day: int = 0, crew: str = "A") -> None:
    world.say(session, "human", at(day, 9), crew)
    world.say(session, "tool", at(day, 9.01), crew)
    world.say(session, "ai", at(day, 9.5), crew)


@both_servers
def test_ticks_find_what_is_new_and_touch_nothing_else(world: World) -> None:
    world.crew()
    chat(world)
    world.tick()
    before = world.execute("select ctid, * from analytics.conversation_summaries")
    chat(world, "s2", day=3)
    result = world.tick()
    oracle.assert_right(world)
    assert before[0] in world.execute("select ctid, * from analytics.conversation_summaries")
    assert result["histories_sessions"].outcome.counts.inserted == 1
    again = world.tick()
    for asset in ("histories_sessions", "conversation_summaries"):
        assert again[asset].outcome.counts.changed == 0


def test_a_backfill_leaves_other_days_alone(world: World) -> None:
    world.crew()
    chat(world, day=0)
    chat(world, day=1)
    world.backfill(MARCH, assets=["histories_sessions"])
    assert [row["activity_date"] for row in world.execute("select * from analytics.histories_sessions")] == [MARCH]


def test_a_session_over_midnight_is_merged_and_answered_on_the_next_day(world: World) -> None:
    world.crew()
    world.say("s", "ai", at(0, 22))
    world.say("s", "human", at(0, 23))
    world.say("s", "ai", at(1, 1))
    world.backfill(MARCH, MARCH + timedelta(days=1))
    oracle.assert_right(world)
    [summary] = world.execute("select * from analytics.conversation_summaries")
    assert summary["first_response_seconds"] == 2 * 3600


def test_rows_of_long_ago_and_of_the_future_are_found_by_the_next_tick(world: World) -> None:
    world.crew()
    chat(world)
    world.tick()
    chat(world, "old", day=-5000)
    chat(world, "s1", day=-5000)
    chat(world, "future", day=5000)
    world.tick()
    oracle.assert_right(world)


def test_a_deleted_session_goes_with_the_next_backfill_of_its_day(world: World) -> None:
    world.crew()
    chat(world, "gone")
    chat(world, "kept")
    world.tick()
    world.execute("delete from app.histories_a where session_id = 'gone'")
    world.backfill(MARCH, assets=["histories_sessions"])
    world.tick(PIPELINE[1:])
    oracle.assert_right(world)
    assert len(world.execute("select from analytics.conversation_summaries")) == 1


@both_servers_if_wide
def test_pruned_days_are_kept_unless_told_otherwise(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.crew()
    chat(world, "s1", day=0)
    chat(world, "s2", day=2)
    world.tick()
    world.execute("delete from app.histories_a where session_id = 's1'")
    result = world.backfill(MARCH, MARCH + timedelta(days=5))
    assert len(world.execute("select from analytics.histories_sessions")) == 2
    assert [crew.warning for crew in result["histories_sessions"].parts] == ["1 session-days are archive and were kept"]
    assert world.reconcile().drift.changed == 0
    chat(world, "s3", day=-10)  # a late import of older rows must not make the archive look deleted
    world.tick()
    world.backfill(MARCH - timedelta(days=20), MARCH + timedelta(days=5))
    assert {row["session_id"] for row in world.execute("select * from analytics.histories_sessions")} == {
        "s1", "s2", "s3"
    }  # fmt: skip
    world.backfill(MARCH, assets=["histories_sessions"], forget_pruned_days=True)
    world.tick()
    oracle.assert_right(world)


def test_a_truncated_table_is_read_from_the_start(world: World) -> None:
    world.crew()
    for number in range(5):
        chat(world, f"before{number}")
    world.tick()
    world.execute("truncate app.histories_a restart identity")
    chat(world, "after")
    world.tick()
    oracle.assert_right(world)


def test_a_crew_that_gets_another_table_is_read_from_the_start(world: World) -> None:
    world.crew("A")
    chat(world)
    world.tick()
    world.crew("B", create=True)
    chat(world, "other", crew="B")
    chat(world, "another", crew="B")
    world.execute("delete from app.crews where crew_code = 'B'")
    world.execute("update app.crews set histories_table_name = 'histories_b'")
    world.tick()
    oracle.assert_right(world)


def test_a_crew_far_behind_advances_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    for name in ("CHUNK_KEYS", "CHUNK_ROWS"):
        monkeypatch.setattr(crew_chunks, name, 2)
    monkeypatch.setattr(refresh, "CHUNK_KEYS", 2)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    monkeypatch.setattr(chunk_size, "SMALLEST_CHUNK", 1)
    monkeypatch.setattr(chunk_size, "LARGEST_CHUNK", 3)
    world.crew()
    for _ in range(2):  # a build, then changes
        for number in range(10):
            chat(world, f"s{number % 4}", day=number % 3)
            world.conversation()
        world.tick()
        oracle.assert_right(world)


@pytest.mark.representatives(1)
@pytest.mark.parametrize(("is_build", "relogged"), [(True, 1_000), (False, 1_000), (False, 1)])
def test_a_crew_whose_time_is_up_continues_at_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, is_build: bool, relogged: int
) -> None:
    monkeypatch.setattr(crew_chunks, "CHUNK_KEYS", 2)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    monkeypatch.setattr(crew_chunks, "CHUNK_ROWS", 2)
    monkeypatch.setattr(histories, "RETRIED_KEYS", relogged)
    monkeypatch.setattr(chunk_size, "SMALLEST_CHUNK", 2)
    monkeypatch.setattr(chunk_size, "LARGEST_CHUNK", 2)
    world.crew()
    if not is_build:
        world.tick()
    for number in range(10):
        chat(world, f"s{number}", day=number)
    known = []
    seconds = 0.0
    chunk = chunks.chunk

    def slow(*args: Any) -> Any:
        nonlocal seconds
        done = chunk(*args)
        seconds += 16.0 if is_build else 31.0
        return done

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "chunk", slow)
        for module in (histories, crew_chunks, chunks, work):
            patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: seconds))
        while not known or known[-1] < 10:
            result = world.tick()
            known.append(len(world.execute("select from analytics.histories_sessions")))
            if known[-1] < 10:
                assert not result["histories_sessions"].parts[0].caught_up
            assert len(known) < 20
    assert known == sorted(known)
    assert len(known) > 3
    oracle.assert_right(world)


def test_message_conversations_follow_messages_and_recipients(world: World) -> None:
    talk = world.conversation()
    first = world.message(talk, "inbound", at(0, 9))
    world.recipient(first, "ana@example.com", "from")
    world.recipient(first, "ben@example.com")
    world.message(talk, "outbound", at(0, 10))
    world.conversation(channel="whatsapp")
    world.tick()
    oracle.assert_right(world)
    late = world.message(talk, "inbound", at(-3, 9))
    world.recipient(late, "chloe@example.com")
    world.execute("update app.conversations set closed_at = %s where id = %s", at(0, 12), talk)
    world.tick()
    oracle.assert_right(world)
    world.execute("delete from app.messages where conversation_id = %s", talk)
    world.backfill(at(-3).date(), at(0).date())
    oracle.assert_right(world)
    assert world.execute("select from analytics.conversation_summaries") == []


def test_a_conversation_that_the_application_made_itself_is_not_made_again(world: World) -> None:
    crew = world.crew()
    mine = world.conversation(channel="crew", crew_id=crew, session_id="s1")
    chat(world)
    result = world.tick()
    assert result["crew_conversations"].outcome.counts.unchanged == 1
    assert [row["id"] for row in world.execute("select id from app.conversations")] == [mine]
    oracle.assert_right(world)


def test_a_backfill_can_be_narrowed_to_some_crews(world: World) -> None:
    world.crew("A")
    world.crew("B")
    chat(world, crew="A")
    chat(world, crew="B")
    world.backfill(MARCH, crews=["B"])
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    with pytest.raises(crews.CrewError, match="no active crew has the code X; there are: A, B"):
        world.backfill(MARCH, crews=["X"])


def test_a_locked_table_costs_a_crew_its_tick_but_not_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = settings().model_copy(update={"crew_timeout_seconds": 1})
    for module in (histories, crew_chunks):
        monkeypatch.setattr(module, "settings", lambda: impatient)
    world.crew("A")
    world.crew("B")
    chat(world, crew="A")
    chat(world, crew="B")
    with world.connection.transaction():
        world.execute("lock table app.histories_b")
        world.tick(["histories_sessions"])
    assert "app.histories_b is locked by pid" in world.state("B")["last_error"]
    assert world.state("A")["last_error"] is None
    world.tick()
    oracle.assert_right(world)
    assert world.state("B")["consecutive_failures"] == 0


def test_odd_rows_are_counted_and_reported(world: World) -> None:
    world.crew()
    chat(world)
    world.say_raw("s1", "[1, 2]", at(0, 10))
    world.say_raw("s1", None, at(0, 11))
    world.say("s1", "alien", at(0, 12))
    world.say(None, "human", at(0, 13))
    world.say("s1", "human", None)
    world.execute("insert into app.histories_a (session_id, message, created_at) values ('s1', '{}', 'infinity')")
    world.execute("drop index app.histories_a_created_at_idx")
    world.tick()
    [session] = world.execute("select * from analytics.histories_sessions")
    assert (session["message_count"], session["human_count"], session["ai_count"]) == (6, 1, 1)
    warning = world.state()["last_warning"]
    assert "1 rows without a session_id" in warning
    assert "2 rows without a usable created_at" in warning
    assert "3 messages of no known type" in warning
    assert oracle.rows(world, "analytics.oddities", ["kind", "rows", "example"]) == {
        ("rows without a session_id", 1, "2026-03-10 13:00:00+00"),
        ("rows without a usable created_at", 2, "s1"),
        ("messages of no known type", 3, "s1"),
    }
    assert "create index concurrently on app.histories_a (created_at)" in warning
    assert not world.checks("no_odd_histories_tables")["no_odd_histories_tables"].passed


@pytest.mark.long(20)
def test_a_crew_with_a_backlog_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large import advances chunk by chunk, and status says how far; the crews that chat meanwhile are fresh."""
    monkeypatch.setattr(crew_chunks, "CHUNK_KEYS", 200)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    monkeypatch.setattr(crew_chunks, "CHUNK_ROWS", 200)
    monkeypatch.setattr(isolation, "TOGETHER_KEYS", 100)
    monkeypatch.setattr(chunk_size, "LARGEST_CHUNK", 200)
    for crew in ("A", "B", "BIG"):
        world.crew(crew)
    world.tick()
    world.execute(
        "insert into app.histories_big (session_id, message, created_at) "
        "select 's' || n %% 2000, '{\"type\": \"human\"}', %s::timestamptz + n * interval '1 minute' "
        "from generate_series(1, 6000) as n",
        at(),
    )
    waiting, ticks = [6_000], 0
    with monkeypatch.context() as patch:
        while waiting[-1]:
            clock = count(0.0, 5.0)
            for module in (histories, crew_chunks, chunks, work):
                patch.setattr(module, "time", SimpleNamespace(monotonic=lambda clock=clock: next(clock)))
            for crew in "AB":
                world.say(f"s{ticks}", "human", at(ticks), crew)
            world.tick()
            ticks += 1
            for crew in "AB":
                query = (
                    "select from analytics.histories_sessions join app.crews on crews.id = crew_id where crew_code = %s"
                )
                assert len(world.execute(query, crew)) == ticks
            with world.warehouse.connection() as connection:
                [big] = [row for row in fetch(connection, "cli/status/crews") if row["crew"] == "BIG"]
            waiting.append(big["waiting"] + (big["to_read"] is not None))
            assert ticks < 50
    assert ticks > 3
    oracle.assert_right(world)
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
def test_a_crew_that_fails_among_many_costs_the_others_nothing(world: World) -> None:
    codes = [f"C{number:02}" for number in range(12)]
    for code in codes:
        world.crew(code)
    world.tick()
    for code in codes:
        world.say("s1", "human", at(), code)
    world.execute("alter table app.histories_c03 rename column message to body")
    world.execute("drop table app.histories_c07")
    failed = [bool(crew.error) for crew in world.tick()["histories_sessions"].parts]
    assert (failed.count(False), failed.count(True)) == (10, 2)
    assert "has no column message" in world.state("C03")["last_error"]
    assert "does not exist" in world.state("C07")["last_error"]
    found = world.execute("select crew_code from analytics.histories_sessions join app.crews on crews.id = crew_id")
    assert {row["crew_code"] for row in found} == set(codes) - {"C03", "C07"}
    assert all(world.state(code)["sessions_scanned"] == 1 for code in set(codes) - {"C03", "C07"})
    world.execute("alter table app.histories_c03 rename column body to message")
    world.execute("create table app.histories_c07 (like app.histories_c01 including all)")
    world.say("s2", "ai", at(), "C07")
    world.tick()
    oracle.assert_right(world)


@both_servers_if_wide
def test_a_summary_names_lead_and_customer(world: World) -> None:
    lead, customer = (UUID(int=number) for number in (1, 2))
    talk = world.conversation(lead_id=lead)
    world.message(talk)
    world.tick()
    world.execute("update app.conversations set customer_id = %s", customer)
    world.tick()
    [summary] = world.execute("select * from analytics.conversation_summaries")
    assert (summary["lead_id"], summary["customer_id"]) == (lead, customer)
    oracle.assert_right(world)


@both_servers_if_wide
@pytest.mark.parametrize("is_build", [True, False])
def test_a_day_larger_than_a_chunk_is_read_session_by_session(
    world: World, monkeypatch: pytest.MonkeyPatch, is_build: bool
) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    for name, size in {"CHUNK_ROWS": 20, "CHUNK_KEYS": 10}.items():
        monkeypatch.setattr(crew_chunks, name, size)
    monkeypatch.setattr(histories, "RETRIED_KEYS", 5)
    monkeypatch.setattr(chunk_size, "SMALLEST_CHUNK", 10)
    monkeypatch.setattr(chunk_size, "LARGEST_CHUNK", 20)
    world.crew()
    if not is_build:
        world.tick()
    world.say("s1", "human", at(-3))
    world.say("s1", "human", at(3))
    world.execute(
        "insert into app.histories_a (session_id, message, created_at) "
        "select 's' || n %% 150, '{\"type\": \"human\"}', %s from generate_series(1, 300) as n", at(),
    )  # fmt: skip
    known = []
    with monkeypatch.context() as patch:
        while not known or known[-1] < 152:
            clock = count(0.0, 4.0)
            for module in (histories, crew_chunks, chunks, work):
                patch.setattr(module, "time", SimpleNamespace(monotonic=lambda clock=clock: next(clock)))
            world.tick(["histories_sessions"])
            known.append(len(world.execute("select from analytics.histories_sessions")))
            assert len(known) < 40
    assert known == sorted(set(known))  # it advances at every tick
    world.tick()
    oracle.assert_right(world)
    world.execute("delete from app.histories_a where session_id > 's2'")
    assert world.reconcile().drift.changed == 0
    oracle.assert_right(world)
    world.execute("update app.histories_a set session_id = 't' || session_id")
    world.backfill(at(-3).date(), at(3).date())
    oracle.assert_right(world)


@both_servers_if_wide
@pytest.mark.parametrize("session", ["", None])
def test_a_large_day_of_messages_without_a_session(
    world: World, monkeypatch: pytest.MonkeyPatch, session: str | None
) -> None:
    """n8n writes them where a workflow has no session key."""
    monkeypatch.setattr(crew_chunks, "CHUNK_ROWS", 10)
    for name in ("SMALLEST_CHUNK", "LARGEST_CHUNK"):
        monkeypatch.setattr(chunk_size, name, 10)
    world.crew()
    for number in range(25):
        world.say(session, "human", at(0, number / 2))
    world.say("s1", "human", at(1))
    world.tick()
    oracle.assert_right(world)
    assert world.reconcile().drift.changed == 0
    world.backfill(at(0).date(), at(1).date())
    oracle.assert_right(world)
