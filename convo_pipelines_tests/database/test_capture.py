"""What capture asks of the application: no statement of it fails, and none waits long."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database import locks
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.migrations import rollback, runner, upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines.model.tables import REGISTRY
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, both_servers, both_servers_if_wide, debian_only
from convo_pipelines_tests.world import EveryCrewFailedError, World

STORM_SECONDS = float(os.environ.get("STORM_SECONDS", "6"))


def assert_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


def tick(world: World) -> None:
    world.tick()
    world.sync()


def now(world: World, table: str) -> dict[str, object]:
    with world.warehouse.connection() as connection:
        return capture.status(connection, table)[0]


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=action)
    thread.start()
    yield
    thread.join()


# Locks


@both_servers_if_wide
def test_a_transaction_that_reads_and_then_deletes_is_not_the_deadlocks_victim(world: World) -> None:
    world.crew()
    talk = world.conversation()
    tick(world)
    world.execute("alter table app.conversations disable trigger convo_pipelines_insert")
    with psycopg.connect(world.url) as application:
        application.execute("select from app.conversations")
        with meanwhile(world.tick):
            time.sleep(1.15)  # until the last attempt
            application.execute("delete from app.conversations where id = %s", [talk])
        application.commit()
    assert now(world, "conversations")["mode"] == "captured"
    tick(world)
    assert_right(world)


def test_who_captures_second_finds_it_done(world: World) -> None:
    world.crew()
    tick(world)
    versions = "select xmin::text from pg_trigger where tgname like 'convo_pipelines%' order by oid"
    before = world.execute(versions)
    with psycopg.connect(world.url) as application:
        application.execute("select from app.messages")
        world.execute("select analytics.capture('app.messages')")
    assert world.execute(versions) == before


@both_servers
def test_of_many_new_tables_those_that_are_locked_or_divided_hold_up_no_other(world: World) -> None:
    codes = [f"n{number}" for number in range(2 * capture.TOGETHER_TABLES)]
    for code in codes:
        world.crew(code)
        world.say("before", crew=code)
    world.execute("create table app.divided (like app.histories_n1 including identity) partition by range (created_at)")
    world.execute("create table app.part partition of app.divided default")
    world.crew("divided", table="divided", create=False)
    world.say("before", crew="divided")
    with psycopg.connect(world.url) as writer:
        writer.execute("insert into app.histories_n3 (session_id, message) values ('open', '{}')")
        world.tick()
        with world.warehouse.connection() as connection:
            modes = {row["table_name"]: row["mode"] for row in capture.status(connection)}
    assert [name for name, mode in modes.items() if mode != "captured"] == ["histories_n3"]
    world.execute("update analytics.capture_state set retry_at = now() where retry_at is not null")
    for code in (*codes, "divided"):
        world.say("after", crew=code)
    world.tick()
    oracle.assert_right(world)


def test_triggers_of_another_kind_go(world: World) -> None:
    world.crew()
    world.say("s1")
    tick(world)
    world.execute(
        "alter table app.histories_a alter id drop identity; "
        "create table app.histories (like app.histories_a) partition by list (session_id); "
        "alter table app.histories attach partition app.histories_a for values in ('s1')"
    )
    tick(world)
    names = "select tgname from pg_trigger where tgrelid = 'app.histories_a'::regclass and tgname like 'convo%'"
    assert {row["tgname"] for row in world.execute(names)} & {
        "convo_pipelines_insert",
        "convo_pipelines_delete",
    } == set()
    world.execute("insert into app.histories (id, session_id, message) values (9, 's1', '{}')")
    tick(world)
    assert_right(world)


@both_servers
def test_no_attempt_waits_as_long_as_the_servers_deadlock_timeout(world: World) -> None:
    world.crew()
    tick(world)
    name = psycopg.sql.Identifier(world.connection.info.dbname)
    world.connection.execute(psycopg.sql.SQL("alter database {} set deadlock_timeout = '40ms'").format(name))
    with psycopg.connect(world.url) as holder, psycopg.connect(world.url, autocommit=True) as other:
        holder.execute("lock table app.messages")
        for deed in ("capture", "release"):
            waits: list[float] = []
            for _ in range(20):
                began = time.monotonic()
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute(f"select analytics.{deed}('app.messages')")
                waits.append(time.monotonic() - began)
            assert min(waits) < 0.04


def test_a_table_that_stays_locked_is_tried_more_and_more_seldom(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_ATTEMPTS", 1)
    world.crew()
    waits = (
        "select extract(epoch from retry_at - changed_at)::int as s from analytics.capture_state where table_name = %s"
    )
    with psycopg.connect(world.url) as holder:
        holder.execute("lock table app.histories_a in row exclusive mode")
        seen = []
        for _ in range(8):
            world.tick()
            seen += [row["s"] for row in world.execute(waits, "histories_a")]
            assert now(world, "histories_a")["next_attempt"]
            world.tick()  # not due
            world.execute(
                "update analytics.capture_state set (changed_at, retry_at) = (now() - (retry_at - changed_at), now()) "
                "where retry_at is not null"
            )
        assert seen == [60, 120, 240, 480, 960, 1920, 3600, 3600]
        with pytest.raises(capture.CaptureError, match="it is locked by another session"):
            capture.switch(world.warehouse, REGISTRY, ["histories_a"], on=True)
        assert world.execute(waits, "histories_a") == [{"s": 60}]
    world.execute("update analytics.capture_state set retry_at = now()")
    world.tick()
    assert now(world, "histories_a") == {
        "table_name": "histories_a", "mode": "captured", "is_wanted": True, "remark": None, "next_attempt": None,
    }  # fmt: skip


class Application:
    """Transactions that read tables before they write them; each writer has rows of its own."""

    TABLES = ("conversations", "messages", "histories_p", "people")

    def __init__(self, world: World):
        self.url, self.until = world.url, time.monotonic() + STORM_SECONDS
        self.failures: list[str] = []
        self.longest, self.transactions = 0.0, 0

    def write(self, number: int) -> None:
        rng = random.Random(number)
        with psycopg.connect(self.url) as connection:
            while time.monotonic() < self.until:
                try:
                    self.transaction(connection, rng, f"w{number}")
                except psycopg.Error as error:
                    self.failures.append(f"{type(error).__name__}: {error}")
                    connection.rollback()

    def transaction(self, connection: psycopg.Connection, rng: random.Random, me: str) -> None:
        tables = rng.sample(self.TABLES, rng.randint(1, 3))
        for table in tables:
            connection.execute(f"select count(*) from app.{table}")
        time.sleep(rng.random() * 0.3)
        for table in rng.sample(tables, len(tables)):
            began = time.monotonic()
            if table == "conversations":
                connection.execute("delete from app.conversations where subject = %s", [me])
                connection.execute("insert into app.conversations (channel, subject) values ('email', %s)", [me])
            elif table == "messages":
                connection.execute(
                    "insert into app.messages (conversation_id, direction, sent_at) "
                    "select id, 'inbound', now() from app.conversations where subject = %s", [me],
                )  # fmt: skip
            elif table == "histories_p":
                connection.execute("insert into app.histories_p (session_id, message) values (%s, '{}')", [me])
                connection.execute("delete from app.histories_p where session_id = %s and random() < 0.5", [me])
            else:
                connection.execute("update app.people set phone = %s where name = %s", [str(rng.random()), me])
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(rng.random() * 0.05)
        connection.commit()
        self.transactions += 1


@pytest.mark.long(STORM_SECONDS + 10)
@both_servers_if_wide
def test_no_statement_of_the_application_fails_while_tables_are_captured(world: World) -> None:
    world.execute(
        "create table app.histories_p (id bigint generated by default as identity, session_id text, message jsonb, "
        "created_at timestamptz not null default now()) partition by range (created_at);"
        "create table app.p1 partition of app.histories_p for values from (minvalue) to ('2026-06-01');"
        "create table app.p2 partition of app.histories_p for values from ('2026-06-01') to (maxvalue)"
    )
    world.crew("P", table="histories_p", create=False)
    for number in range(6):
        world.person(phone="1")
        world.execute("update app.people set name = %s where name = '…'", f"w{number}")
    application, counts = Application(world), dict.fromkeys(["ticked", "switched"], 0)
    names = ["conversations", "messages", "histories_p", "people"]

    def ticker() -> None:
        while time.monotonic() < application.until:
            with suppress(EveryCrewFailedError):  # a table whose lock is waited for is read at the next tick
                world.tick()
            world.sync()
            counts["ticked"] += 1

    def switcher() -> None:
        rng = random.Random(99)
        while time.monotonic() < application.until:
            for on in (False, True):
                try:
                    capture.switch(world.warehouse, REGISTRY, rng.sample(names, 2), on=on)
                except capture.CaptureError:
                    continue
                counts["switched"] += 1

    threads = [threading.Thread(target=application.write, args=[number]) for number in range(6)]
    threads += [threading.Thread(target=deed) for deed in (ticker, ticker, switcher)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(counts, application.transactions, f"longest wait {application.longest:.2f} s")
    assert application.failures == []
    assert min(counts["ticked"], counts["switched"]) > 0
    capture.switch(world.warehouse, REGISTRY, [], on=True)
    tick(world)
    assert_right(world)


@pytest.mark.long(STORM_SECONDS + 10)
@both_servers_if_wide
def test_no_statement_of_the_application_fails_while_the_database_is_migrated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    world.crew("P", table="histories_p")
    world.person(phone="1")
    world.execute("update app.people set name = 'w0'")
    tick(world)
    application, done = Application(world), Counter[str]()

    def migrate() -> None:
        while time.monotonic() < application.until:
            for step in (lambda: rollback.down(("analytics",)), lambda: upgrade.up(("analytics",), world.url)):
                try:
                    done["down" if step() else "up"] += 1
                except TableLockedError:
                    done["locked"] += 1

    threads = [threading.Thread(target=application.write, args=[number]) for number in range(2)]
    threads.append(threading.Thread(target=migrate))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(done, application.transactions, f"longest wait {application.longest:.2f} s")
    assert application.failures == []


# Rows that move to another partition


MOVES = {
    "to another partition of the table": "update app.histories set created_at = '2026-01-02' where id = 1",
    "to the table of another crew": "update app.histories set crew = 'b' where id = 1",
    "to a table that nobody reads": "update app.histories set crew = 'c' where id = 1",
    "by merge": (
        "merge into app.histories using (values (1, 'b'), (3, null)) as given (key, crew) on id = key "
        "when matched and given.crew is null then delete when matched then update set crew = given.crew"
    ),
    "and back in one transaction": (
        "update app.histories set crew = 'b' where id = 1; update app.histories set crew = 'a' where id = 1"
    ),
    "all rows": "update app.histories set crew = 'b'",
    "within its partition": "update app.histories set session_id = 's2' where id = 1",
}


@pytest.mark.representatives(3)
@both_servers_if_wide
@pytest.mark.parametrize("move", MOVES)
def test_an_update_that_moves_a_row_is_no_deletion(
    world: World, archive_after: Callable[[int], None], move: str
) -> None:
    archive_after(7)
    nested_partitions(world)
    world.execute(MOVES[move])
    tick(world)
    archived = (
        "select distinct activity_date::text as day from analytics.histories_sessions where archived_at is not null"
    )
    assert [row["day"] for row in world.execute(archived)] == (["2026-02-03"] if move == "by merge" else [])
    if move != "by merge":
        oracle.assert_right(world)
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
def test_a_deletion_after_an_update_is_a_deletion(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    nested_partitions(world)
    with world.connection.transaction():
        world.execute("update app.histories set message = '{}'")
        world.execute("delete from app.histories where id <> 3")
    tick(world)
    archived = "select activity_date::text as day from analytics.histories_sessions where archived_at is not null"
    assert world.execute(archived) == [{"day": "2026-01-01"}]
    assert world.reconcile().drift.changed == 0


def nested_partitions(world: World) -> None:
    """A table of all crews, divided by crew, each part divided by month; two crews read theirs."""
    world.execute(
        "create table app.histories (id bigint not null, crew text, session_id text, message jsonb default '{}', "
        "created_at timestamptz) partition by list (crew);"
        + "".join(
            f"create table app.histories_{crew} partition of app.histories for values in ('{crew}') "
            "partition by range (created_at);"
            f"create table app.{crew}1 partition of app.histories_{crew} for values from (minvalue) to ('2026-01-02');"
            f"create table app.{crew}2 partition of app.histories_{crew} for values from ('2026-01-02') to (maxvalue);"
            for crew in "abc"
        )
    )
    world.crew("A", create=False)
    world.crew("B", create=False)
    tick(world)
    world.execute(
        "insert into app.histories (id, crew, session_id, created_at) values "
        "(1, 'a', 's1', '2026-01-01'), (2, 'a', 's1', '2026-01-01'), (3, 'a', 's1', '2026-02-03')"
    )
    tick(world)
    oracle.assert_right(world)


# What a statement logs


LOGGED: dict[str, list[tuple[str, str]]] = {
    "select concat_ws(' ', operation, coalesce(session_id, '-'), extract(day from activity_date)) as change "
    "from analytics.session_changes": [
        ("insert into app.histories_a (session_id, created_at) values ('a', '2026-01-01')", "insert a 1"),
        ("insert into app.histories_a (session_id, created_at) values (null, '2026-01-01')", "unusable - 1"),
        (
            "insert into app.histories_a (session_id, created_at) values "
            "('b', '2026-01-01'), ('b', '2026-01-01'), ('B', '2026-01-02'), (null, '2026-01-02')",
            "insert B 2, insert b 1, unusable - 2",
        ),
        ("insert into app.histories_a select * from app.histories_a where false", ""),
        ("update app.histories_a set message = '{}' where session_id = 'a'", "update a 1"),
        ("update app.histories_a set session_id = 'A' where session_id = 'a'", "move a 1, update A 1"),
        ("update app.histories_a set created_at = '2026-01-02' where session_id = 'A'", "move A 1, update A 2"),
        ("update app.histories_a set message = '{}' where lower(session_id) = 'b'", "update B 2, update b 1"),
        ("update app.histories_a set message = '{}' where false", ""),
        ("delete from app.histories_a where session_id = 'A'", "delete A 2"),
        ("delete from app.histories_a where session_id is null", "unusable - 1, unusable - 2"),
        ("truncate app.histories_a", "truncate -"),
        ("alter table app.histories_a rename session_id to chat", ""),
        ("insert into app.histories_a (chat) values ('a')", "everything -"),
        ("delete from app.histories_a", "truncate -"),
    ],
    "select concat_ws(' ', operation, right(conversation_id::text, 1)) as change from analytics.messages_changes": [
        ("insert into app.messages (conversation_id, direction, sent_at) values (:a, 'inbound', now())", "insert a"),
        (
            "insert into app.messages (conversation_id, direction, sent_at) "
            "values (:a, 'outbound', now()), (:b, 'inbound', now()), (:b, 'inbound', now())",
            "insert a, insert b",
        ),
        ("insert into app.messages select * from app.messages where false", ""),
        ("update app.messages set sent_at = now() where direction = 'outbound'", "update a"),
        (
            "update app.messages set conversation_id = :b where direction = 'outbound'",
            "delete a, insert b",
        ),
        ("update app.messages set sent_at = now()", "update a, update b"),
        ("delete from app.messages where direction = 'outbound'", "delete b"),
        ("delete from app.messages", "delete a, delete b"),
    ],
    "select concat_ws(' ', operation, right(id::text, 1), session_id, "
    "case when snapshot is not null then 'seen' end) as change "
    "from analytics.conversations_changes": [
        ("insert into app.conversations (id, channel) values (:c, 'email')", "insert c"),
        (
            "insert into app.conversations (id, channel, crew_id, session_id) values (:d, 'crew', :crew, 's')",
            "insert d s",
        ),
        ("update app.conversations set subject = '…' where id = :c", "update c"),
        ("update app.conversations set subject = '…' where id = :d", "update d s seen"),
        ("update app.conversations set session_id = 'S' where id = :d", "update d S seen, update d s seen"),
        ("update app.conversations set subject = '' where id in (:a, :d)", "update a, update d S seen"),
        ("delete from app.conversations where id = :d", "delete d S seen"),
        ("delete from app.conversations", "delete a, delete b, delete c"),
    ],
}
"""How each log shows what these statements, one after the other, write to it."""


@both_servers
def test_each_statement_logs_each_of_its_keys_once(world: World) -> None:
    ids = {":crew": world.crew()} | {f":{name}": UUID(f"{name:0>32}") for name in "abcd"}
    tick(world)
    world.execute(
        "insert into app.conversations (id, channel) values (%s, 'email'), (%s, 'chat')", ids[":a"], ids[":b"]
    )
    for log, statements in LOGGED.items():
        for statement, changes in statements:
            for name in ("session", "conversations", "messages"):
                world.execute(f"delete from analytics.{name}_changes")
            for name, given in ids.items():
                statement = statement.replace(name, f"'{given}'")
            world.execute(statement)
            assert sorted(row["change"] for row in world.execute(log)) == changes.split(", ") * bool(changes), statement


@debian_only
def test_what_is_written_is_read_where_the_lower_case_of_i_has_no_dot(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            "create database turkish template template0 encoding 'utf8' locale_provider icu icu_locale 'tr'"
        )
    server.databases.append("turkish")
    url = make_url(server.url).set(database="turkish").render_as_string(hide_password=False)
    upgrade.up(url=url)
    world = World(Warehouse(url))
    world.crew()
    tick(world)
    world.say("s1")
    tick(world)
    assert_right(world)
    world.close()


@pytest.mark.parametrize("log", ["session_changes", "messages_changes", "message_recipients_changes"])
def test_a_log_that_is_away_for_a_while_stops_no_writer_and_loses_nothing(world: World, log: str) -> None:
    world.crew()
    world.person(email="ana@example.com")
    talk = world.conversation()
    tick(world)
    world.execute(f"alter table analytics.{log} rename to away")
    world.say("s1")
    world.recipient(world.message(talk), "ana@example.com")
    world.execute(f"alter table analytics.away rename to {log}")
    tick(world)
    assert_right(world)
