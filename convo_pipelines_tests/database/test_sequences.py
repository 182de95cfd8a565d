"""Sequences that ended in wrong rows when change was inferred from times and ids, each as it was reproduced."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import psycopg
import pytest

from convo_pipelines.engine import chunks, keys, ticks
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model import histories, participants
from convo_pipelines.model.tables import (
    CREW_CONVERSATIONS,
    DERIVED_TABLES,
    HISTORIES_SESSIONS,
    PARTICIPANT_RESOLUTIONS,
    TABLES,
)
from convo_pipelines.sources import n8n
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

log = logging.getLogger("test")


def tick(world: World, *tables: object) -> None:
    for table in tables or DERIVED_TABLES:
        ticks.tick(world.warehouse, table, log)


def assert_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().repairs.changed == 0


@both_servers_if_wide
@pytest.mark.parametrize(("run", "few_keys"), [("tick", 1_000), ("tick", -1), ("reconcile", -1)])
def test_an_identifier_committed_between_normalization_and_storing(
    world: World, monkeypatch: pytest.MonkeyPatch, run: str, few_keys: int
) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", few_keys)
    tick(world)
    canonical = participants.canonical
    numbers = iter(range(3))

    def interrupted(kind: str, value: str) -> str | None:
        for number in islice(numbers, 1):
            address = f"p{number}@example.com"
            world.address(world.conversation(), world.contact(address))
            world.person(email=address)
        return canonical(kind, value)

    world.person(email="first@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(participants, "canonical", interrupted)
        tick(world) if run == "tick" else world.reconcile()
    tick(world)
    assert_right(world)
    [late] = world.execute("select status from analytics.participant_resolutions limit 1")
    assert late["status"] == "resolved"


@both_servers_if_wide
def test_a_session_id_that_becomes_something_that_is_no_identifier(world: World) -> None:
    world.crew()
    world.person(phone="+4915112345678")
    world.say("4915112345678")
    tick(world)
    assert len(world.execute("select from analytics.people_conversations")) == 1
    world.execute("update app.conversations set session_id = 'nobody'")
    tick(world)
    assert world.execute("select from analytics.people_conversations") == []
    oracle.assert_links_right(world)


@both_servers_if_wide
def test_deleting_the_newest_message_is_no_truncation(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.crew()
    now = datetime.now(UTC)
    for number in range(300):
        world.say(f"s{number % 30}", when=now - timedelta(minutes=10 * number))
    tick(world)
    with psycopg.connect(world.url) as late:
        late.execute("insert into app.histories_a (session_id) values ('late')")
        for _ in range(3):
            world.execute("delete from app.histories_a where id = (select max(id) from app.histories_a)")
            outcome, _ = ticks.tick(world.warehouse, HISTORIES_SESSIONS, log)
            assert outcome.keys == 1
    tick(world)
    assert_right(world)
    assert world.execute("select from analytics.histories_sessions where archived_at is not null") == []


@both_servers_if_wide
def test_pruning_within_a_day_then_reconcile_keeps_what_is_archived(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    world.crew()
    old, young = datetime.now(UTC) - timedelta(days=30), datetime.now(UTC) - timedelta(days=2)
    for when in (old, young):
        for minute in range(4):
            world.say("s1", when=when.replace(hour=12, minute=minute))
    tick(world)
    world.execute("delete from app.histories_a where id in (1, 2, 5)")
    world.reconcile()
    counts = {
        row["activity_date"]: row["message_count"]
        for row in world.execute("select * from analytics.histories_sessions")
    }
    assert counts == {old.date(): 4, young.date(): 3}
    world.execute("truncate app.histories_a")
    world.say("s1", when=old.replace(hour=20, minute=0))
    tick(world)
    ticks.backfill(world.warehouse, HISTORIES_SESSIONS, Window.of_days(old.date(), datetime.now(UTC).date()), log)
    [row] = world.execute("select * from analytics.histories_sessions")
    assert (row["message_count"], row["last_message_at"].hour) == (4, 20)  # young days follow their source
    for minute in range(6):
        world.say("s1", when=old.replace(hour=21, minute=minute))
    tick(world)
    [row] = world.execute("select * from analytics.histories_sessions")
    assert (row["message_count"], row["first_message_at"].hour, row["archived_at"] is None) == (7, 12, False)
    assert world.reconcile().repairs.changed == 0
    [summary] = world.execute("select * from analytics.conversation_summaries")
    assert summary["message_count"] == 7


@pytest.mark.parametrize(("step", "few_keys"), [("few_keys", 1_000), ("choose_keys", -1)])
def test_a_deletion_that_commits_while_its_day_is_read_is_archive_at_once(
    world: World, archive_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, step: str, few_keys: int
) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", few_keys)
    archive_after(7)
    world.crew()
    old = datetime.now(UTC) - timedelta(days=30)
    for _ in range(3):
        world.say("s1", when=old)
    tick(world)
    world.say("s1", when=old)
    choose_keys = getattr(keys, step)

    def interrupted(*arguments: object, **choice: object) -> object:
        found = choose_keys(*arguments, **choice)
        world.execute("delete from app.histories_a where id <= 2")
        return found

    with monkeypatch.context() as patch:
        for module in (histories, chunks):
            patch.setattr(module, step, interrupted, raising=False)
        tick(world, HISTORIES_SESSIONS)
    tick(world)
    [row] = world.execute("select * from analytics.histories_sessions")
    assert row["message_count"] == 3  # what it was before the day was both added to and pruned
    assert row["archived_at"] is not None


@both_servers_if_wide
def test_a_table_further_down_that_ticks_before_the_one_above_it(world: World) -> None:
    ana = world.person()
    contact = world.contact("ana@example.com", ana)
    talk = world.conversation(client=None)
    world.address(talk, contact)
    tick(world)
    world.execute("update app.contact_methods set person_id = null")
    for table in reversed(DERIVED_TABLES):
        tick(world, table)
    tick(world, TABLES["people_conversations"])
    assert world.execute("select from analytics.people_conversations") == []
    world.execute("update app.contact_methods set person_id = %s", ana)
    world.execute("delete from app.message_recipients")
    for table in reversed(DERIVED_TABLES):
        tick(world, table)
    tick(world)
    assert_right(world)


def test_a_person_link_goes_when_crew_id_is_cleared(world: World) -> None:
    world.crew()
    world.person(phone="+4915112345678")
    world.say("4915112345678")
    tick(world)
    world.execute("update app.conversations set crew_id = null")
    for table in (TABLES["people_conversations"], PARTICIPANT_RESOLUTIONS, TABLES["people_conversations"]):
        tick(world, table)
    assert world.execute("select from analytics.people_conversations") == []


def test_a_crew_that_is_switched_off_and_on_again_gets_its_conversation(world: World) -> None:
    world.crew()
    tick(world)
    world.say("s1")
    tick(world, HISTORIES_SESSIONS)
    world.execute("update app.crews set is_active = false")
    tick(world, CREW_CONVERSATIONS)
    world.say("s2")
    tick(world)
    assert len(world.execute("select from analytics.histories_sessions")) == 1
    world.execute("update app.crews set is_active = true")
    tick(world)
    assert_right(world)
    world.execute("update app.clients set is_active = false")
    world.say("s3")
    tick(world)
    assert len(world.execute("select from analytics.histories_sessions")) == 2
    world.execute("update app.clients set is_active = true")
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_a_message_or_a_recipient_that_moves_leaves_both_conversations_right(world: World) -> None:
    one, two = world.conversation(), world.conversation()
    message = world.message(one)
    other = world.message(two)
    recipient = world.insert(
        "message_recipients",
        message_id=message,
        contact_method_id=world.contact("a@a.example", world.person()),
        role="to",
    )
    tick(world)
    world.execute("update app.messages set conversation_id = %s where id = %s", two, message)
    tick(world)
    assert_right(world)
    world.execute("update app.messages set conversation_id = %s where id = %s", one, other)
    world.execute("update app.message_recipients set message_id = %s where id = %s", other, recipient)
    tick(world)
    assert_right(world)


@both_servers_if_wide
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_another_default_isolation_changes_nothing(world: World, level: str) -> None:
    [database] = world.execute("select current_database() as name")
    world.execute(f"alter database {database['name']} set default_transaction_isolation = '{level}'")
    world.crew()
    tick(world)
    world.say("s1")
    tick(world)
    world.say("s1")
    world.address(world.conversation(), world.contact("ana@example.com", world.person()))
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_truncations_swaps_and_ids_of_any_kind(world: World) -> None:
    world.crew()
    world.execute("create sequence app.unowned cache 20")
    world.execute("alter table app.histories_a alter id drop identity, alter id set default nextval('app.unowned')")
    tick(world)
    for number in range(5):
        world.say(f"before{number}")
    tick(world)
    with psycopg.connect(world.url) as other:  # takes ids of its own from the sequence, and commits late
        other.execute("insert into app.histories_a (session_id) values ('cached')")
        world.say("between")
        tick(world)
    tick(world)
    assert_right(world)
    world.execute("truncate app.histories_a restart identity")
    world.say("after")
    tick(world)
    assert_right(world)
    for number in (-5, 0, 10**12, 7_000):
        world.execute("insert into app.histories_a (id, session_id) values (%s, 'odd')", number)
        tick(world)
    assert_right(world)
    n8n.create_table(world.connection, "fresh")
    world.execute("insert into app.fresh (session_id) values ('fresh')")
    with world.connection.transaction():
        world.execute("alter table app.histories_a rename to histories_old")
        world.execute("alter table app.fresh rename to histories_a")
    tick(world)
    assert_right(world)
    world.say("one more")
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_a_backfill_in_which_a_crew_failed_is_made_good_once_it_is_mended(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
    tick(world)
    for crew in "AB":
        world.say("s1", when=at(0), crew=crew)
    world.execute("alter table app.histories_b rename column message to mislaid")
    world.execute("delete from analytics.session_changes")  # as if a tick had accounted for them
    world.backfill(at(0).date())
    assert world.state("B")["consecutive_failures"] == 1
    world.execute("alter table app.histories_b rename column mislaid to message")
    tick(world)
    assert_right(world)


def test_a_row_of_the_far_future_makes_nothing_archive(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.crew()
    world.say("far", when=datetime(2135, 1, 1, tzinfo=UTC))
    world.say("near", when=datetime.now(UTC))
    tick(world)
    world.execute("delete from app.histories_a where session_id = 'near'")
    tick(world)
    assert_right(world)


def test_a_conversation_with_the_nil_uuid_is_one_like_any_other(world: World) -> None:
    nil = world.insert("conversations", id=UUID(int=0), channel="email", client_id=world.client())
    world.address(nil, world.contact("ana@example.com", world.person()))
    world.insert("contact_methods", id=UUID(int=0), kind="email", value="nil@example.com")
    world.reconcile()
    assert_right(world)
    world.execute("delete from analytics.people_conversations")
    world.reconcile()
    assert_right(world)


def test_a_tick_narrowed_to_some_crews_moves_no_watermark(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
    tick(world)
    for crew in "AB":
        world.say("s1", crew=crew)
    before = world.execute("select asset_key, snapshot::text from analytics.refresh_state order by 1")
    world.tick(crews=["A"])
    assert len(world.execute("select from analytics.histories_sessions")) == 1
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    assert world.execute("select asset_key, snapshot::text from analytics.refresh_state order by 1") == before
    assert world.has_news()
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_a_crew_that_moves_takes_its_future_sessions_along_never_its_past(world: World) -> None:
    crew = world.crew(client="C1")
    world.say("past", when=at(0))
    world.conversation(channel="crew", client=None, crew_id=crew, session_id="nameless")
    tick(world)
    world.execute("update app.crews set client_id = %s", world.client("C2"))
    world.say("past", when=at(1))
    world.say("future", when=at(1))
    world.say("nameless", when=at(1))
    tick(world)
    assert_right(world)
    codes = {
        row["session_id"]: row["client_code"]
        for row in world.execute(
            "select session_id, client_code from analytics.conversation_summaries "
            "join app.clients on clients.id = client_id"
        )
    }
    assert codes == {"past": "C1", "future": "C2", "nameless": "C2"}
    activity = {
        (row["client_code"], row["activity_date"]): (row["sessions"], row["messages"])
        for row in world.execute("select * from analytics.client_activity_daily")
    }
    assert activity == {
        ("C1", at(0).date()): (1, 1),
        ("C1", at(1).date()): (1, 1),
        ("C2", at(1).date()): (2, 2),
    }


@both_servers_if_wide
def test_rows_updated_in_place_sessions_deleted_and_crews_that_exchange_tables(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
        for number in range(3):
            world.say(f"{crew}{number}", crew=crew)
    tick(world)
    world.execute("update app.histories_a set message = '{\"type\": \"ai\"}', session_id = 'A0' where id = 2")
    world.execute("update app.histories_a set created_at = created_at - interval '3 days' where id = 3")
    world.execute("delete from app.histories_b where session_id = 'B1'")
    tick(world)
    assert_right(world)
    with world.connection.transaction():
        world.execute("update app.crews set histories_table_name = 'histories_b' where crew_code = 'A'")
        world.execute("update app.crews set histories_table_name = 'histories_a' where crew_code = 'B'")
    tick(world)
    assert_right(world)


def test_a_deleted_conversation_stays_deleted_until_its_session_gets_new_rows(world: World) -> None:
    world.crew()
    for session in ("s1", "s2"):
        world.say(session)
    tick(world)
    world.execute("delete from app.conversations where session_id = 's1'")
    tick(world)
    world.backfill(at(-1).date(), at(1).date())
    world.reconcile()
    world.execute("vacuum full app.histories_a")  # read again as a whole
    tick(world)
    world.execute("update app.histories_a set message = '{\"type\": \"ai\"}' where session_id = 's1'")
    tick(world)
    assert [row["session_id"] for row in world.execute("select * from app.conversations")] == ["s2"]
    assert world.checks("no_sessions_without_conversation")["no_sessions_without_conversation"].passed
    world.say("s1")
    tick(world)
    assert_right(world)
