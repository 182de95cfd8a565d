"""The follower: what is committed is in every table after its next look, whoever else ticks, and whatever fails."""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
import pytest

from convo_pipelines.database.migrations import rollback, runner, upgrade
from convo_pipelines.engine import capture, chunks, leases, refresh
from convo_pipelines.engine.leases import Lease
from convo_pipelines.model.tables import DERIVED_TABLES, REGISTRY
from convo_pipelines.serving import follow
from convo_pipelines.serving.follow import IDLE_SECONDS, Follower
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

NAMES = [table.name for table in DERIVED_TABLES]
Start = Callable[[], Follower]


def settle(follower: Follower, steps: int = 60) -> None:
    """Step until a look shows nothing new."""
    for _ in range(steps):
        if follower.step() == IDLE_SECONDS:
            return
    pytest.fail("the follower finds news for ever")


@pytest.fixture
def followed(world: World, monkeypatch: pytest.MonkeyPatch) -> Follower:
    """A follower that has captured and built everything, even if a table was locked at the first attempt."""
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.1)
    world.crew()
    follower = Follower(world.warehouse)
    wait_until(lambda: follower.step() and not world.has_news() and not uncaptured(world))
    return follower


def uncaptured(world: World) -> list[str]:
    return [table["table_name"] for table in capture.status(world.connection) if table["mode"] == "uncaptured"]


@pytest.fixture
def running(world: World) -> Generator[Start]:
    """Starts followers, each in a thread of its own."""
    started: list[tuple[Follower, threading.Thread]] = []

    def start() -> Follower:
        follower = Follower(world.warehouse)
        thread = threading.Thread(target=follower.run)
        thread.start()
        started.append((follower, thread))
        return follower

    yield start
    for follower, thread in started:
        follower.stop()
        thread.join()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def holders(world: World) -> set[str | None]:
    rows = world.execute("select distinct lease_holder as holder from analytics.refresh_state")
    return {row["holder"] for row in rows}


def write_something(world: World, number: int = 0) -> None:
    """A chat, a mail with a person, a project."""
    world.say(f"s{number}", when=at(number))
    person = world.person(email=f"ana{number}@example.com")
    talk = world.conversation()
    world.recipient(world.message(talk), f"Ana{number}@Example.com")
    world.assign(talk, world.project(talk))
    assert person


@both_servers_if_wide
def test_what_is_committed_is_in_every_table_after_the_next_look(followed: Follower, world: World) -> None:
    for number in range(3):
        write_something(world, number)
        settle(followed)
        oracle.assert_right(world)
    world.execute("delete from app.message_recipients")
    world.execute("delete from app.histories_a where session_id = 's1'")
    world.execute("update app.people set email = null")
    settle(followed)
    oracle.assert_right(world)


def test_a_table_that_fails_in_any_way_stops_no_other_and_says_why(
    followed: Follower, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tick_few = refresh.tick_few

    def fail(*arguments: Any) -> Any:
        if arguments[2].name == "participant_resolutions":
            raise AttributeError("'NoneType' object has no attribute 'strip'")
        return tick_few(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(refresh, "tick_few", fail)
        write_something(world)
        for _ in range(5):
            followed.step()
        oracle.assert_right(world)
        [failing] = world.execute("select asset_key, last_error from analytics.refresh_state where last_error <> ''")
        assert failing["asset_key"] == "participant_resolutions"
        assert "AttributeError: see the traceback in the log of" in failing["last_error"]
        assert "Traceback" in caplog.text
    wait_until(lambda: followed.step() and not world.execute(
        "select from analytics.refresh_state where last_error is not null"
    ))  # fmt: skip
    settle(followed)
    assert len(world.linked()) == 1


def test_an_idle_look_writes_nothing(followed: Follower, world: World) -> None:
    def xids() -> str:
        return world.execute("select pg_snapshot_xmax(pg_current_snapshot())::text as xmax")[0]["xmax"]

    settle(followed)
    before = xids()
    for _ in range(5):
        assert followed.step() == IDLE_SECONDS
    assert xids() == before


NO_TABLES = """
create function refuse() returns event_trigger language plpgsql as $$ begin raise 'a table is created'; end $$;
create event trigger no_tables on ddl_command_start when tag in ('CREATE TABLE', 'CREATE TABLE AS')
    execute function refuse();
"""


def test_few_keys_are_refreshed_without_temporary_tables(
    followed: Follower, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "FEW_SECONDS", 60.0)
    world.execute(NO_TABLES)
    for number in range(3):
        write_something(world, number)
        wait_until(lambda: followed.step() and not world.has_news())
    world.execute("delete from app.messages")
    world.execute("delete from app.conversations where crew_id is not null")
    world.execute("update app.crews set name = 'B'")
    wait_until(lambda: followed.step() and not world.has_news())
    [crew] = world.execute("select id from app.crews")
    oracle.assert_right(world, {(crew["id"], f"s{number}") for number in range(3)})


def test_what_is_locked_is_left_and_tried_again(followed: Follower, world: World) -> None:
    talk = world.conversation()
    world.message(talk)
    world.say("s", when=at(0))
    with psycopg.connect(world.url) as other:
        other.execute("select from app.conversations where id = %s for update", [talk])
        settle(followed)
        known = world.execute("select conversation_id from analytics.conversation_summaries")
        assert len(known) == 1, "the chat's; nobody waited for the locked conversation"
        followed._upkeep.hurry()
        followed.step()
    wait_until(lambda: followed.step() and len(world.table("analytics.conversation_summaries")) == 2)
    oracle.assert_right(world)


def test_the_sessions_of_a_locked_crew_are_left_and_tried_again(followed: Follower, world: World) -> None:
    for number in range(50):
        world.say(f"old{number}", when=at(0))
    settle(followed)
    before = world.state()["sessions_scanned"]
    world.say("s", when=at(0))
    with psycopg.connect(world.url) as other:
        other.execute("select from app.crews for update")
        settle(followed)
        followed._upkeep.hurry()
        followed.step()
    wait_until(lambda: followed.step() and world.execute("select from app.conversations where session_id = 's'"))
    oracle.assert_right(world)
    assert world.state()["sessions_scanned"] - before < 10, "not the whole table"


def test_an_archive_mark_that_is_locked_is_left_and_tried_again(
    followed: Follower, world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    world.say("s", when=at())
    settle(followed)
    world.execute("update app.crews set is_active = false")
    settle(followed)
    world.execute("delete from app.histories_a")
    with psycopg.connect(world.url) as other:
        other.execute("select from analytics.histories_sessions for update")
        settle(followed)
        followed._upkeep.hurry()
        followed.step()
    wait_until(lambda: followed.step() and not world.has_news())
    [day] = world.execute("select archived_at from analytics.histories_sessions")
    assert day["archived_at"] is not None


GREETING = """
create function greet() returns trigger language plpgsql as $$
begin
    insert into app.histories_a (session_id, message, created_at)
    values (new.session_id, '{"type": "ai"}', new.started_at);
    return null;
end $$;
create trigger greet after insert on app.conversations for each row execute function greet();
"""


def test_what_triggers_of_the_application_write_is_followed(followed: Follower, world: World) -> None:
    world.execute(GREETING)
    world.say("s", when=at(0))
    settle(followed)
    followed._upkeep.hurry()
    settle(followed)
    [row] = world.execute("select message_count from analytics.histories_sessions")
    assert row["message_count"] == 2
    oracle.assert_right(world)


def test_after_a_crash_snapshots_of_before_mean_nothing(followed: Follower, world: World) -> None:
    """As behind a pooler, which keeps the connection: transaction ids are given out again."""
    followed._seen = "999999999:999999999:"
    world.execute("delete from analytics.crash_token")
    write_something(world)
    followed._upkeep.hurry()
    settle(followed)
    followed._upkeep.hurry()
    settle(followed)
    oracle.assert_right(world)


def test_a_refused_conversation_holds_up_nothing(followed: Follower, world: World) -> None:
    world.execute("alter table app.conversations add constraint short check (length(session_id) < 5)")
    world.say("too long", when=at(0))
    world.say("fits", when=at(0))
    settle(followed)
    assert [row["session_id"] for row in world.execute("select session_id from app.conversations")] == ["fits"]
    assert [row["session_id"] for row in world.execute("select session_id from analytics.refused_conversations")] == [
        "too long"
    ]


def test_a_crew_that_fails_stops_no_other(followed: Follower, world: World) -> None:
    world.crew("B")
    settle(followed)
    world.execute("alter table app.histories_b rename column message to body")
    world.say("s", when=at(0))
    world.execute("insert into app.histories_b (session_id, body, created_at) values ('t', '{}', now())")
    for _ in range(10):
        followed.step()
    assert world.state("B")["last_error"]
    assert len(world.table("analytics.histories_sessions")) == 1


def test_idle_watermarks_move_and_the_logs_are_trimmed(followed: Follower, world: World) -> None:
    write_something(world)
    settle(followed)
    followed._upkeep.hurry()
    followed.step()
    snapshots = world.execute("select distinct snapshot::text from analytics.refresh_state")
    assert len(snapshots) == 1
    followed._upkeep.hurry()
    followed.step()
    assert world.execute("select count(*) as rows from analytics.changes")[0]["rows"] == 0


def test_others_get_the_leases_and_the_follower_takes_them_again(world: World, running: Start) -> None:
    world.crew()
    running()
    wait_until(lambda: len(holders(world)) == 1 and None not in holders(world))
    holder = str(*holders(world))
    assert leases.is_follower(holder)
    world.say("s", when=at(0))
    done = world.tick()
    assert not any(one.outcome.is_skipped for one in done.values())
    wait_until(lambda: holders(world) == {holder})
    world.say("t", when=at(0))
    wait_until(lambda: len(world.table("analytics.conversation_summaries")) == 2)


def test_of_two_one_works_and_the_other_takes_over(world: World, running: Start) -> None:
    world.crew()
    first = running()
    wait_until(lambda: None not in holders(world))
    second = running()
    second._holder = first._holder.replace("follower ", "follower other ")
    first.stop()
    wait_until(lambda: holders(world) == {second._holder})
    world.say("s", when=at(0))
    wait_until(lambda: len(world.table("analytics.conversation_summaries")) == 1)


def test_the_database_may_restart(world: World, running: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LONGEST_PAUSE_SECONDS", 0.1)
    world.crew()
    running()
    wait_until(lambda: None not in holders(world))
    for number in range(3):
        world.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'convo_pipelines' and datname = current_database() and pid <> pg_backend_pid()"
        )
        world.say(f"s{number}", when=at(0))
        wait_until(lambda number=number: len(world.table("analytics.conversation_summaries")) == number + 1)
    wait_until(lambda: not world.has_news())
    oracle.assert_right(world)


def test_a_lease_that_another_tick_took_is_noticed(followed: Follower, world: World) -> None:
    """A follower that was stopped for more than a minute."""
    world.execute("update analytics.refresh_state set lease_until = now() - interval '1 second'")
    world.say("s", when=at(0))
    world.tick()
    world.say("t", when=at(0))
    settle(followed)
    oracle.assert_right(world)


def test_more_than_a_few_keys_are_refreshed_in_chunks(
    followed: Follower, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", 3)
    for number in range(10):
        write_something(world, number)
    settle(followed)
    oracle.assert_right(world)


def test_a_statement_that_takes_too_long_is_done_in_chunks(
    followed: Follower, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "FEW_SECONDS", 0.001)
    for number in range(3):
        write_something(world, number)
    settle(followed)
    wait_until(lambda: followed.step() and not world.has_news())
    oracle.assert_right(world)


def test_a_rollback_and_an_upgrade_beside_a_follower_lose_nothing(
    world: World, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    world.crew()
    running()
    wait_until(lambda: None not in holders(world))
    write_something(world, 1)
    with leases.followers_paused(world.warehouse, REGISTRY):
        rollback.down(("analytics",))
    write_something(world, 2)
    upgrade.up(("analytics",))
    write_something(world, 3)
    wait_until(lambda: len(world.table("analytics.conversation_summaries")) == 6)
    wait_until(lambda: not world.has_news())
    oracle.assert_right(world)


def test_a_wanted_lease_is_not_taken(followed: Follower, world: World) -> None:
    asked = Lease(world.warehouse, NAMES)
    asked.want()
    followed.step()
    assert holders(world) == {None}
    assert sorted(asked.take()) == sorted(NAMES)
    followed.step()
    assert holders(world) == {asked.holder}
    asked.end()
    settle(followed)
    assert leases.is_follower(str(*holders(world)))
