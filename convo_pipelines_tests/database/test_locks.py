"""The application never waits long for the pipeline, and is never the victim of a deadlock with it."""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from convo_pipelines.database import connections, transactions
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.transactions import refreshing
from convo_pipelines.engine import capture, chunks, executors, ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model import crew_chunks, histories, tombstones
from convo_pipelines.model.archive import Archive
from convo_pipelines.model.tables import DERIVED_TABLES, TABLES
from convo_pipelines.operations import health
from convo_pipelines.orchestration.checks.completeness import every_message_is_counted
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import DAY, EveryCrewFailedError, World, at

SECONDS = 15.0
LONGEST_WAIT = 1.0
TALK = "(select id from app.conversations where channel = 'email' order by random() limit 1)"


@contextmanager
def holding(world: World, query: str, *values: object) -> Iterator[psycopg.Connection]:
    """Hold the locks of a statement in an open transaction, and roll it back."""
    with psycopg.connect(world.url) as connection:
        connection.execute(query, values)
        yield connection
        connection.rollback()


class Application:
    """A writer who does in a loop what once met with the pipeline in deadlocks; each statement is timed.

    There is one: whatever fails or waits, the pipeline did it.
    """

    def __init__(self, url: str, until: float):
        self.url, self.until = url, until
        self.failures: list[str] = []
        self.slowest = (0.0, "")
        self.statements = 0

    def run(self) -> None:
        rng = random.Random(1)
        with psycopg.connect(self.url, autocommit=True, options="-c timezone=UTC") as connection:
            while time.monotonic() < self.until:
                with connection.transaction():
                    for query, values in self.transaction(rng):
                        self.time(connection, query, values)
                        time.sleep(rng.random() * 0.01)

    def time(self, connection: psycopg.Connection, query: str, values: list[Any]) -> None:
        started = time.monotonic()
        try:
            with connection.transaction():
                connection.execute(query, values)
        except psycopg.Error as error:
            self.failures.append(f"{query}: {error}")
        self.statements += 1
        self.slowest = max(self.slowest, (time.monotonic() - started, query))

    def transaction(self, rng: random.Random) -> list[tuple[str, list[Any]]]:
        """Choose the statements of a transaction."""
        crew, person = f"X{rng.randint(0, 3)}", f"p{rng.randint(0, 9)}@example.com"
        sessions = [f"s{number}" for number in rng.sample(range(60), 5)]
        say = 'insert into app.histories_a (session_id, message, created_at) values (%s, \'{"type": "ai"}\', %s)'
        converse = (
            "insert into app.conversations (channel, crew_id, session_id, started_at) "
            "select 'crew', id, %s, now() from app.crews where crew_code = 'A' on conflict do nothing"
        )
        return rng.choice([
            [(say, [session, at(0, rng.random() * 48)]) for session in sessions],
            [(converse, [session]) for session in reversed(sessions)],
            [("delete from app.conversations where session_id = any(%s)", [sessions])],
            [("delete from app.crews where crew_code = %s", [crew]),
             ("insert into app.crews (client_id, crew_code, name, histories_table_name) select client_id, %s, 'X', "
              "'histories_' || lower(%s) from app.crews where crew_code = 'A' on conflict do nothing", [crew, crew])],
            [("delete from app.people where email = %s", [person]),
             ("insert into app.people (client_id, name, email) select id, 'X', %s from app.clients limit 1", [person])],
            [("delete from app.clients where client_code = 'gone'", []),
             ("insert into app.clients (client_code, name) values ('gone', 'X') on conflict do nothing", []),
             ("insert into app.people (client_id, name, email) "
              "select id, 'X', %s from app.clients where client_code = 'gone'", [person]),
             ("insert into app.conversations (channel, client_id, started_at) "
              "select 'email', id, now() from app.clients where client_code = 'gone'", [])],
            [("insert into app.conversations (channel, started_at) values ('email', now())", []),
             (f"delete from app.conversations where id = {TALK}", [])],
            [(f"insert into app.messages (conversation_id, direction, sent_at) values ({TALK}, 'inbound', now())", []),
             ("insert into app.message_recipients (message_id, contact_method_id, role) select m.id, c.id, 'to' "
              "from (select id from app.messages order by random() limit 1) m, app.contact_methods c limit 5", [])],
            [("insert into app.contact_methods (kind, value) values ('email', %s)", [person]),
             ("delete from app.contact_methods where id in "
              "(select id from app.contact_methods where value = %s limit 1)", [person])],
            [("update app.conversations set project_id = (select id from app.projects limit 1) "
              f"where id = {TALK}", [])],
        ])  # fmt: skip


@pytest.mark.long(16)
@both_servers_if_wide
def test_an_application_in_a_loop_beside_ticks_backfills_and_reconcile(world: World) -> None:
    crew = world.crew("A")
    for number in range(4):
        world.crew(f"X{number}")
    world.project()
    for number in range(200):
        world.say(f"s{number % 60}", "human", at(number % 5, number % 24))
        world.conversation(started_at=at())
    application = Application(world.url, time.monotonic() + SECONDS)
    failures: list[BaseException] = []

    def loop(work: Callable[[], object]) -> None:
        while time.monotonic() < application.until:
            try:
                work()
            except BaseException as failure:
                failures.append(failure)
                raise

    def build() -> None:
        world.execute("update analytics.refresh_state set snapshot = null, written_by = pg_current_xact_id()")
        world.tick()

    writer = threading.Thread(target=application.run)
    runs = [
        threading.Thread(target=loop, args=[work])
        for work in (
            lambda: (world.tick(), world.sync()),
            lambda: world.backfill(at(0).date(), datetime.now(UTC).date()),
            lambda: (build(), world.reconcile()),
        )
    ]
    for thread in (writer, *runs):
        thread.start()
    for thread in (writer, *runs):
        thread.join()
    assert application.failures == []
    assert application.slowest[0] < LONGEST_WAIT, application.slowest
    assert application.statements > 100
    assert failures == []
    world.tick()
    world.sync()
    oracle.assert_right(world, deleted={(crew, f"s{number}") for number in range(60)})
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


@pytest.mark.parametrize(
    ("server", "lock"),
    [
        ("embedded", "for update"),
        ("embedded", "delete"),
        ("debian", "for update"),
        pytest.param("debian", "delete", marks=pytest.mark.wide),
    ],
    indirect=["server"],
)
def test_a_locked_row_delays_only_itself(world: World, lock: str) -> None:
    client = world.client("C2")
    world.crew("A")
    world.crew("B", client="C2")
    persons = {
        email: world.person(email=email, client=c) for email, c in (("a@x.example", "C1"), ("b@x.example", "C2"))
    }
    contacts = {email: world.contact(email) for email in persons}
    talks = [world.conversation(client=None, started_at=at()) for _ in range(2)]
    world.tick()
    world.sync()
    for talk in talks:
        for contact in contacts.values():
            world.address(talk, contact)
    for crew in "AB":
        world.say("s1", "human", at(), crew)
    take = {"for update": "select from app.{} where {} for update", "delete": "delete from app.{} where {}"}[lock]

    def links() -> set[tuple[Any, Any]]:
        return oracle.rows(world, "analytics.people_conversations", ["person_id", "conversation_id"])

    with (
        holding(world, take.format("people", "email = 'a@x.example'")),
        holding(world, take.format("conversations", "id = %s"), talks[0]),
        holding(world, take.format("crews", "crew_code = 'A'")),
    ):
        for _ in range(2):
            world.tick()
            world.sync()
        assert links() == {(persons["b@x.example"], talks[1])}
        counted = world.execute(
            "select crew_code from analytics.histories_sessions join app.crews on crews.id = crew_id"
        )
        assert [row["crew_code"] for row in counted] == ["B"]
        assert (
            len(world.execute("select from analytics.conversation_summaries where conversation_id = %s", talks[1])) == 1
        )
        assert world.reconcile().drift.changed == 0
    world.tick()
    world.sync()
    assert len(links()) == 4
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    with holding(world, take.format("clients", "id = %s"), client):
        world.say("s2", "human", at(), "B")
        world.tick()
        world.sync()
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


WAITING = """
select count(*) as waiting, coalesce(max(extract(epoch from now() - query_start)), 0) as seconds
from pg_locks inner join pg_stat_activity using (pid)
where not granted and datname = current_database() and application_name = 'convo_pipelines'
"""


@both_servers_if_wide
def test_while_a_table_is_locked_ticks_fail_clearly_and_nothing_piles_up(world: World) -> None:
    world.crew()
    world.say("s1", "human", at())
    world.conversation(started_at=at())
    world.tick()
    world.sync()
    waits: list[dict[str, Any]] = []
    errors: list[str] = []
    until = time.monotonic() + SECONDS / 2

    def tick(table: DerivedTable) -> None:
        while time.monotonic() < until:
            try:
                ticks.tick(world.warehouse, table, logging.getLogger())
            except TableLockedError as error:
                errors.append(str(error))

    with holding(world, "lock table app.messages in access exclusive mode") as holder:
        pid = holder.info.backend_pid
        world.execute("update app.conversations set subject = 'x'")
        threads = [
            threading.Thread(target=tick, args=[TABLES[name]])
            for name in ("conversation_summaries", "people_conversations")
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < until:
            waits += world.execute(WAITING)
            time.sleep(0.05)
        for thread in threads:
            thread.join()
    assert len(errors) > 4
    assert {error.split(" of ")[0] for error in errors} == {f"app.messages is locked by pid {pid}"}
    assert max(wait["waiting"] for wait in waits) <= len(threads)
    assert max(wait["seconds"] for wait in waits) < LONGEST_WAIT
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


@both_servers
def test_who_waits_to_change_a_table_is_named_with_whom_it_waits_for(world: World) -> None:
    world.crew()
    world.conversation(started_at=at())
    world.tick()
    world.execute("update app.conversations set subject = 'x'")
    with holding(world, "select from app.messages") as reader, psycopg.connect(world.url) as owner:
        altering = threading.Thread(target=owner.execute, args=["alter table app.messages add column note text"])
        altering.start()
        while not world.execute("select from pg_locks where not granted"):
            time.sleep(0.05)
        with pytest.raises(TableLockedError) as error:
            ticks.tick(world.warehouse, TABLES["conversation_summaries"], logging.getLogger())
        reader.rollback()
        altering.join()
        pids = owner.info.backend_pid, reader.info.backend_pid
    assert str(error.value).startswith(f"app.messages is about to be locked by pid {pids[0]} of ")
    assert str(error.value).endswith(
        f", which waits for pid {pids[1]}: let it end, or run select pg_terminate_backend({pids[1]})"
    )
    world.tick()
    oracle.assert_right(world)


@pytest.mark.parametrize("server", ["debian"], indirect=True)
def test_a_prepared_transaction_is_named(world: World) -> None:
    world.crew()
    world.conversation(started_at=at())
    world.tick()
    world.execute("update app.conversations set subject = 'x'")
    with psycopg.connect(world.url) as forgetful:
        forgetful.execute("lock table app.messages")
        forgetful.execute("prepare transaction 'forgotten'")
    with pytest.raises(TableLockedError) as error:
        ticks.tick(world.warehouse, TABLES["conversation_summaries"], logging.getLogger())
    world.execute("rollback prepared 'forgotten'")
    assert str(error.value).startswith(
        "app.messages is locked by the prepared transaction 'forgotten' of postgres since"
    )
    assert str(error.value).endswith("or run rollback prepared 'forgotten'")


@pytest.mark.wide
def test_a_locked_crew_is_one_offender_of_the_check_that_counts_messages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for crew in "AB":
        world.crew(crew)
        world.say("s1", crew=crew)
    world.tick()
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    with holding(world, "lock table app.histories_a in access exclusive mode"):
        result = every_message_is_counted(world.warehouse)
    assert result.metadata["offenders"].value == 1


def test_checks_and_commands_name_who_holds_the_lock_and_the_limit_they_meet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)

    def read(*statements: str) -> None:
        with world.warehouse.connection() as connection:
            for statement in statements:
                connection.execute(statement)

    with holding(world, "lock table app.messages in access exclusive mode") as holder:
        locked = re.escape(f"app.messages is locked by pid {holder.info.backend_pid} of ")
        with pytest.raises(TableLockedError, match=locked):
            world.reconcile()
        with pytest.raises(TableLockedError, match=locked):
            read("select from app.messages")
    with pytest.raises(psycopg.errors.QueryCanceled, match="see what slows it down, or raise REFRESH_TIMEOUT_SECONDS"):
        read("set statement_timeout = 100", "select pg_sleep(9)")
    with pytest.raises(psycopg.errors.QueryCanceled) as cancelled:
        read("select pg_cancel_backend(pg_backend_pid()), pg_sleep(1)")
    assert "REFRESH_TIMEOUT_SECONDS" not in str(cancelled.value)


@both_servers_if_wide
def test_a_session_that_the_application_is_about_to_insert_is_not_waited_for(world: World) -> None:
    crew = world.crew()
    for number in range(20):
        world.say(f"s{number:02}", "human", at())
    insert = (
        "insert into app.conversations (channel, crew_id, session_id, started_at) values ('crew', %s, 's07', now())"
    )
    with holding(world, insert, crew):
        world.tick()
        found = {row["session_id"] for row in world.execute("select session_id from app.conversations")}
        assert found == {f"s{number:02}" for number in range(20)} - {"s07"}
    world.tick()
    oracle.assert_right(world)


@both_servers_if_wide
def test_a_table_that_is_locked_for_minutes_delays_only_what_reads_it(world: World) -> None:
    world.crew("A")
    world.crew("B")
    talk = world.conversation(started_at=at())
    world.tick()
    world.sync()
    world.address(talk, world.contact("ana@x.example", world.person()))
    for crew in "AB":
        world.say("s1", "human", at(), crew)
    with holding(world, "lock table app.messages in access exclusive mode"):
        world.tick(["histories_sessions", "crew_conversations"])
        with pytest.raises(TableLockedError, match=r"app\.messages is locked by pid"):
            world.tick(["conversation_summaries"])
        world.tick(["participant_resolutions", "project_conversations", "project_link_inconsistencies"])
    for crew in "AB":
        world.say("s2", "human", at(), crew)
    with holding(world, "lock table app.histories_a in access exclusive mode"):
        world.tick()
        error = world.state("A")["last_error"]
        [pid] = re.findall(r"app\.histories_a is locked by pid (\d+) of \w+ since 2", error)
        assert f"run select pg_terminate_backend({pid})" in error
        assert world.state("B")["last_error"] is None
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


@both_servers_if_wide
@pytest.mark.parametrize(
    ("step", "few_keys"), [("few_keys", 1_000), ("query_prepared", 1_000), ("choose_keys", -1), ("TemporaryTables", -1)]
)
def test_a_crew_that_is_deleted_in_mid_run(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, few_keys: int
) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", few_keys)
    doomed = world.crew("A")
    world.crew("B")
    world.tick()
    for crew in "AB":
        world.say("s1", "human", at(), crew)
    modules = (crew_chunks, chunks, executors)
    actual = next(getattr(module, step) for module in modules if hasattr(module, step))

    def after_deletion(*arguments: Any, **options: Any) -> Any:
        with psycopg.connect(world.url, autocommit=True) as application:
            application.execute("delete from app.crews where id = %s", [doomed])
        return actual(*arguments, **options)

    for run in (world.tick, lambda: world.backfill(DAY.date()), world.reconcile):
        with monkeypatch.context() as patched:
            for module in modules:
                patched.setattr(module, step, after_deletion, raising=False)
            with suppress(EveryCrewFailedError):
                run()
    world.tick()
    oracle.assert_right(world)
    assert world.reconcile().failed_crews == []


@both_servers
def test_looking_at_the_catalog_does_not_wait_for_a_crew_that_is_being_deleted(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(30)
    for code in "AB":
        world.crew(code)
        world.say("old", "human", at(), code)
    world.tick()
    for code in "ab":
        world.execute(f"delete from app.histories_{code}")
    world.crew("C")
    with holding(world, "delete from app.crews where crew_code = 'B'") as application:
        world.tick()
        application.execute("delete from app.crews where crew_code = 'A'")
    world.tick()
    archived = world.execute("select from analytics.histories_sessions where archived_at is not null")
    assert len(archived) == 2
    assert world.reconcile().drift.changed == 0


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ("update app.crews set is_active = false where crew_code = 'A'", "update app.crews set is_active = true"),
        (
            "update app.crews set histories_table_name = 'x' where crew_code = 'A'",
            "update app.crews set histories_table_name = 'histories_a' where crew_code = 'A'",
        ),
        ("update app.clients set is_active = false", "update app.clients set is_active = true"),
    ],
)
@pytest.mark.parametrize("is_build", [True, False])
def test_a_crew_that_is_off_for_a_moment_is_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch, off: str, on: str, is_build: bool
) -> None:
    world.crew("A")
    world.crew("B")
    if not is_build:
        world.tick()
    for crew in "AB":
        world.say("s1", "human", at(), crew)
    waiting = histories.waiting

    def meanwhile(*arguments: Any) -> Any:
        world.execute(off)
        try:
            return waiting(*arguments)
        finally:
            world.execute(on)

    with monkeypatch.context() as patched:
        patched.setattr(histories, "waiting", meanwhile)
        world.tick(["histories_sessions"])
    assert world.has_news()
    world.tick()
    oracle.assert_right(world)
    assert world.reconcile().drift.changed == 0


def test_a_crew_that_is_switched_off_while_it_is_compared_has_no_drift(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.crew()
    world.say("s1", "human", at())
    world.tick()
    check_table, choose_pending = histories.check_table, Archive.choose_pending

    def truncated(*arguments: Any) -> Any:
        world.execute("truncate app.histories_a")
        return check_table(*arguments)

    def switched_off(*arguments: Any) -> bool:
        world.execute("update app.crews set is_active = false")
        return choose_pending(*arguments)

    for module in (histories, crew_chunks):
        monkeypatch.setattr(module, "check_table", truncated)
    monkeypatch.setattr(Archive, "choose_pending", switched_off)
    done = world.reconcile()
    assert (done.repairs.deleted, done.drift.changed) == (1, 0)


def test_a_crew_that_is_off_while_the_catalog_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew("A")
    world.tick()
    world.crew("B")
    run = capture.fetch

    def meanwhile(connection: Any, name: str, *arguments: Any, **parameters: Any) -> Any:
        if name != "engine/capture/crews":
            return run(connection, name, *arguments, **parameters)
        world.execute("update app.crews set is_active = false where crew_code = 'A'")
        try:
            return run(connection, name, *arguments, **parameters)
        finally:
            world.execute("update app.crews set is_active = true")

    with monkeypatch.context() as patched:
        patched.setattr(capture, "fetch", meanwhile)
        world.tick()
    world.say("s1", "human", at())
    world.tick()
    oracle.assert_right(world)


@both_servers
def test_a_partition_in_another_schema_is_rewritten(world: World) -> None:
    world.crew("A", create=False)
    world.execute(
        "create table app.histories_a (session_id text, message jsonb, created_at timestamptz) "
        "partition by range (created_at); create schema parts; "
        "create table parts.p1 partition of app.histories_a default"
    )
    world.say("s1", "human", at())
    world.tick()
    world.execute("alter table app.histories_a alter column session_id type text using 'x' || session_id")
    world.tick()
    oracle.assert_right(world)


@both_servers_if_wide
def test_two_tables_that_exchange_their_names(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
        world.say(f"of {crew}", "human", at(), crew)
    world.tick()
    world.execute(
        "begin; alter table app.histories_a rename to x; alter table app.histories_b rename to histories_a; "
        "alter table app.x rename to histories_b; commit"
    )
    assert world.has_news()
    world.tick()
    oracle.assert_right(world)


@pytest.mark.wide
def test_a_locked_crew_with_many_sessions_is_left_in_one_go(world: World) -> None:
    world.crew("A")
    world.crew("B")
    world.tick()
    world.execute(
        "insert into app.histories_a (session_id, message, created_at) "
        "select 's' || n, '{}', %s from generate_series(1, 20000) as n",
        at(),
    )
    world.say("s1", "human", at(), "B")
    world.tick(["histories_sessions"])
    with holding(world, "select from app.crews where crew_code = 'A' for update"):
        started = time.monotonic()
        world.tick()
        assert time.monotonic() - started < 20
        assert [row["session_id"] for row in world.execute("select * from app.conversations")] == ["s1"]
    world.tick()
    oracle.assert_right(world)


def test_many_sessions_that_the_application_is_about_to_insert(world: World) -> None:
    crew = world.crew()
    for number in range(200):
        world.say(f"s{number:03}", "human", at())
    insert = (
        "insert into app.conversations (channel, crew_id, session_id, started_at) "
        "select 'crew', %s, 's' || lpad(n::text, 3, '0'), now() from generate_series(100, 149) as n"
    )
    with holding(world, insert, crew):
        world.tick()
        assert len(world.execute("select from app.conversations")) == 150
    world.tick()
    oracle.assert_right(world)


def test_many_deleted_conversations_stay_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tombstones, "MOST", 10)
    for crew in "AB":
        world.crew(crew)
        for number in range(25):
            world.say(f"s{number}", "human", at(), crew)
    world.tick()
    world.execute("delete from app.conversations")
    with holding(world, "select from app.crews where crew_code = 'A' for update"):
        world.tick()
        assert len(world.execute("select from analytics.deleted_conversations")) == 25
    world.tick()
    assert len(world.execute("select from analytics.deleted_conversations")) == 50
    world.reconcile()
    assert world.execute("select from app.conversations") == []


def test_a_process_that_is_frozen_in_a_transaction_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.crew()
    world.say("s1")
    world.tick()
    world.say("s2")
    [talk] = world.execute("select id from app.conversations")
    monkeypatch.setattr(transactions, "IDLE_SECONDS", 1)
    locks = [table.name for table in DERIVED_TABLES]
    ended = psycopg.errors.IdleInTransactionSessionTimeout
    with world.warehouse.connection() as frozen, suppress(ended), refreshing(frozen, locks, ["conversations"]):
        frozen.execute("select analytics.lock_parents('conversations', %s)", [[talk["id"]]])
        world.execute("delete from app.conversations")
        world.tick()
        with pytest.raises(ended) as error:
            frozen.execute("select")
        raise error.value
    oracle.assert_right(world, {(world.execute("select id from app.crews")[0]["id"], "s1")})


def test_a_refresh_that_others_wait_for_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew()
    world.say("s1")
    monkeypatch.setattr(health, "LONGEST_LOCK", health.timedelta(0))
    with world.warehouse.connection() as slow, refreshing(slow, [TABLES["conversation_summaries"].name], ["crews"]):
        waiting = threading.Thread(target=world.tick)
        waiting.start()
        deadline = time.monotonic() + 30
        while not (found := [one for one in health.look(world.warehouse) if one.kind == "a table is locked"]):
            assert time.monotonic() < deadline
        [finding] = found
        assert finding.subject == "a refresh"
        assert f"a refresh is locked by pid {slow.info.backend_pid} of" in finding.found
    waiting.join()
