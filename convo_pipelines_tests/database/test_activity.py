"""Days of conversations, crews and clients: what makes one another, and what stays."""

import logging
from collections.abc import Callable
from datetime import date

import pytest

from convo_pipelines.engine import capture, change_log, chunk_size, chunks, refresh, ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.crews import CrewError
from convo_pipelines.model.tables import DISCOVERY, REGISTRY, TABLES
from convo_pipelines.operations import forget
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import PIPELINE, World, at

pytestmark = pytest.mark.fast
MARCH = date(2026, 3, 10)


@pytest.fixture
def company(world: World) -> World:
    world.crew()
    world.client("C2")
    for day in (0, 1, 3):
        world.say("s1", "human", at(day, 9))
        world.say("s1", "ai", at(day, 10))
    world.say("s2", "human", at(1, 9))
    talk = world.conversation()
    for day, direction in ((0, "inbound"), (0, "outbound"), (2, "inbound")):
        world.message(talk, direction, at(day, 11))
    world.tick()
    oracle.assert_right(world)
    return world


def close(world: World) -> None:
    world.execute("update app.conversations set closed_at = %s where channel = 'email'", at(5))


CHANGES: dict[str, Callable[[World], object]] = {
    "a conversation changes hands": lambda world: world.execute(
        "update app.conversations set client_id = %s", world.client("C2")
    ),
    "a conversation is nobody's": lambda world: world.execute(
        "update app.conversations set client_id = null where channel = 'email'"
    ),
    "a message moves to another day": lambda world: world.execute(
        "update app.messages set sent_at = %s where direction = 'outbound'", at(1, 11)
    ),
    "a message in the middle moves, and nothing else": lambda world: world.execute(
        "update app.messages set sent_at = %s where sent_at = (select max(sent_at) from app.messages)", at(2, 11)
    ),
    "a day's messages are deleted": lambda world: world.execute("delete from app.messages where sent_at > %s", at(1)),
    "a conversation is deleted": lambda world: world.execute("delete from app.conversations where channel = 'email'"),
    "conversations are truncated": lambda world: world.execute("truncate app.conversations cascade"),
    "a session's conversation is deleted": lambda world: world.execute(
        "delete from app.conversations where session_id = 's1'"
    ),
    "it is closed": close,
    "it is opened again": lambda world: (
        close(world),
        world.tick(),
        world.execute("update app.conversations set closed_at = null"),
    ),
    "the answer comes earlier": lambda world: world.say("s2", "ai", at(1, 9.5)),
    "a session's rows move to another crew": lambda world: (
        world.crew("B"),
        world.execute(
            "with moved as ("
            "delete from app.histories_a where session_id = 's1' returning session_id, message, created_at"
            ") insert into app.histories_b (session_id, message, created_at) select * from moved"
        ),
    ),
    "names change": lambda world: (
        world.execute("update app.clients set client_code = 'C9' where client_code = 'C1'"),
        world.execute("update app.crews set crew_code = 'Z', name = 'Zeta'"),
    ),
    "a crew goes to another client": lambda world: world.execute(
        "update app.crews set client_id = %s", world.client("C2")
    ),
    "a client is deleted": lambda world: (
        world.execute("delete from app.messages"),
        world.execute("delete from app.conversations"),
        world.execute("delete from app.crews"),
        world.execute("delete from app.clients where client_code = 'C1'"),
    ),
}


@pytest.mark.representatives(6)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_next_tick_makes_every_day_right(company: World, change: Callable[[World], object]) -> None:
    talks = oracle.rows(company, "app.conversations", ["crew_id", "session_id"])
    change(company)
    company.tick()
    oracle.assert_right(company, deleted=talks - oracle.rows(company, "app.conversations", ["crew_id", "session_id"]))
    assert company.reconcile().drift.changed == 0


@both_servers_if_wide
def test_a_day_that_is_right_is_not_touched(company: World) -> None:
    before = company.table("analytics.client_activity_daily").set_index("activity_date")["refreshed_at"]
    company.say("s1", "human", at(3, 20))
    company.tick()
    after = company.table("analytics.client_activity_daily").set_index("activity_date")["refreshed_at"]
    assert list(after.index[after != before]) == [at(3).date()]


@both_servers_if_wide
def test_days_written_by_hand_are_repaired_by_a_backfill_of_theirs_and_counted_by_reconcile(company: World) -> None:
    for table in ("conversation_days", "crew_activity_daily", "client_activity_daily"):
        company.execute(f"delete from analytics.{table} where activity_date = %s", MARCH)
        company.execute(
            f"update analytics.{table} set refreshed_at = now(), "
            f"{'message_count = 0' if table == 'conversation_days' else 'messages = 0'} where activity_date > %s",
            MARCH,
        )
        result = company.backfill(MARCH, assets=[table])
        assert result[table].outcome.counts.inserted > 0
        assert company.reconcile().tables[table].drift.updated > 0
        oracle.assert_right(company)


@both_servers_if_wide
def test_what_is_forgotten_leaves_its_days(company: World) -> None:
    company.execute("delete from app.histories_a where session_id = 's1'")
    company.execute("delete from app.conversations where session_id = 's1'")
    forget.sessions(company.warehouse, "A", "s1")
    for log in ("conversations", "crew_conversations", "histories_sessions"):
        assert not company.execute(f"select from analytics.{log}_changes where session_id = 's1'")
    company.tick()
    days = oracle.rows(company, "analytics.crew_activity_daily", ["activity_date", "sessions"])
    assert days == {(at(1).date(), 1)}
    oracle.assert_right(company)


def test_a_backfill_narrowed_to_a_crew_leaves_the_days_of_others(company: World) -> None:
    company.crew("B", client="C2")
    company.say("s9", "human", at(0, 9), crew="B")
    company.tick()
    company.execute("update analytics.crew_activity_daily set messages = 0")
    company.execute("update analytics.client_activity_daily set messages = 0")
    company.backfill(MARCH, assets=["crew_activity_daily", "client_activity_daily"], crews=["B"])
    sums = {
        table: {
            row["owner"]: row["messages"]
            for row in company.execute(
                f"select {owner} as owner, sum(messages)::int as messages from analytics.{table} group by 1"
            )
        }
        for table, owner in (("crew_activity_daily", "crew_code"), ("client_activity_daily", "client_code"))
    }
    assert sums == {"crew_activity_daily": {"A": 0, "B": 1}, "client_activity_daily": {"C1": 0, "C2": 1}}


@both_servers_if_wide
def test_a_run_narrowed_to_a_client_takes_its_conversations_of_any_channel(company: World) -> None:
    company.crew("B", client="C2")
    company.say("s9", "human", at(0, 9), crew="B")
    company.message(company.conversation(client="C2"), "inbound", at(0, 8))
    company.tick()
    company.execute("update analytics.conversation_summaries set message_count = 0")
    company.execute("update analytics.histories_sessions set message_count = 0")
    company.backfill(MARCH, clients=["C2"])
    right = company.execute("select from analytics.conversation_summaries where message_count > 0")
    assert len(right) == len(
        company.execute("select from app.conversations where client_id = %s", company.client("C2"))
    )
    assert len(company.execute("select from analytics.histories_sessions where message_count > 0")) == 1
    with pytest.raises(CrewError, match="no client has the code C9; there are: C1, C2"):
        company.backfill(MARCH, clients=["C9"])


def test_a_client_without_crews_is_narrowed_to_as_well(company: World) -> None:
    company.message(company.conversation(client="C2"), "inbound", at(0, 8))
    company.backfill(MARCH, clients=["C2"])
    days = oracle.rows(company, "analytics.client_activity_daily", ["client_code", "messages"])
    assert ("C2", 1) in days


@both_servers_if_wide
def test_a_client_that_is_put_back_has_its_days_again(company: World) -> None:
    client = company.client("C1")
    company.execute("update app.conversations set client_id = null, crew_id = null")
    company.execute("delete from app.crews")
    company.execute("delete from app.clients where client_code = 'C1'")
    company.insert("clients", id=client, client_code="C1", name="C1")
    company.execute("update app.conversations set client_id = %s", client)
    company.tick()
    assert company.execute("select from analytics.client_activity_daily")
    oracle.assert_right(company)


@both_servers_if_wide
def test_a_crew_that_is_put_back_between_two_ticks_is_discovered_again(company: World) -> None:
    [crew] = company.execute("select * from app.crews")
    company.execute("delete from app.crews")
    company.insert("crews", **{name: crew[name] for name in ("id", "client_id", "crew_code", "name")},
                   histories_table_name=crew["histories_table_name"])  # fmt: skip
    company.tick()
    assert company.execute("select from analytics.crew_activity_daily")
    oracle.assert_right(company)


@both_servers_if_wide
def test_a_conversation_deleted_unseen_leaves_its_days_with_the_next_reconcile(world: World) -> None:
    talks = [world.conversation(), world.conversation()]
    for talk in talks:
        world.message(talk)
    world.tick()
    capture.switch(world.warehouse, REGISTRY, ["conversations", "messages"], on=False)
    world.tick()
    world.execute("delete from app.conversations where id = %s", talks[0])
    world.reconcile()
    assert oracle.rows(world, "analytics.client_activity_daily", ["conversations_started"]) == {(1,)}
    oracle.assert_right(world)


@pytest.mark.parametrize("table", ["conversation_days", "crew_activity_daily", "client_activity_daily"])
def test_a_narrowed_tick_goes_through_all_chunks(world: World, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(refresh, "CHUNK_KEYS", 2)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    monkeypatch.setattr(chunk_size, "SMALLEST_CHUNK", 2)
    for code in "ABC":
        world.crew(code, client=f"C{code}")
        for day in range(6):
            world.say("s1", "human", at(day), crew=code)
    before = [name for name in PIPELINE if name != table]
    world.tick(before[: PIPELINE.index(table)])
    for code in "ABC":
        world.tick([table], crews=[code])
    assert len(world.execute(f"select from analytics.{table}")) == 18


@both_servers_if_wide
@pytest.mark.parametrize(
    "table",
    [
        TABLES["conversation_summaries"],
        TABLES["conversation_days"],
        TABLES["crew_activity_daily"],
        TABLES["client_activity_daily"],
    ],
    ids=lambda table: table.name,
)
def test_what_a_collapsed_log_awaits_is_no_drift(
    company: World, monkeypatch: pytest.MonkeyPatch, table: DerivedTable
) -> None:
    company.message(company.conversation(), "inbound", at(3))
    company.say("s2", "ai", at(3))
    company.tick(PIPELINE[: DISCOVERY.index(table)])
    monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", -5)
    with company.warehouse.connection() as connection:
        change_log.trim(connection, REGISTRY)
    outcome, _ = ticks.compare(company.warehouse, table, logging.getLogger())
    assert outcome.counts.changed > 0
    assert outcome.drift.changed == 0
