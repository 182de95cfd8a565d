"""The change log, capture and snapshots: each rule of theirs was found by an experiment that failed without it."""

import logging
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database import locks
from convo_pipelines.database.migrations import rollback, runner, upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, change_log, executors, keys, spans, ticks
from convo_pipelines.engine.capture import CaptureError
from convo_pipelines.model import crew_chunks, histories
from convo_pipelines.model.tables import (
    CREW_CONVERSATIONS,
    DERIVED_TABLES,
    DISCOVERY,
    HISTORIES_SESSIONS,
    REGISTRY,
    TABLES,
)
from convo_pipelines.sources.adoption import installation
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Server, both_servers, both_servers_if_wide, debian_only
from convo_pipelines_tests.interleaving import interleave, write_before
from convo_pipelines_tests.world import DAY, PIPELINE, World, at, sample

log = logging.getLogger("test")
NOW = datetime.now(UTC)
INSTALLING = ROOT / "docs" / "how-to" / "installing.md"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0)


def tick(world: World, *tables: object) -> None:
    for table in tables or DERIVED_TABLES:
        ticks.tick(world.warehouse, table, log)


def assert_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


def logged(world: World) -> list[tuple[str | None, str]]:
    rows = world.execute("select session_id, operation from analytics.session_changes order by xid, 2, 1")
    return [(row["session_id"], row["operation"]) for row in rows]


def state(world: World, table: str) -> dict[str, object]:
    [row] = world.execute("select * from analytics.capture_state where table_name = %s", table)
    return row


def clear(world: World) -> None:
    world.execute("delete from analytics.session_changes")


# What triggers write


@both_servers
def test_keys_are_logged_once_a_statement_old_and_new(world: World) -> None:
    world.crew()
    tick(world)
    clear(world)
    world.execute(
        "insert into app.histories_a (session_id, created_at) values ('a', %s), ('a', %s), ('b', %s), (null, %s)",
        *(at(0, 1), at(0, 2), at(1), at(0)),
    )
    assert logged(world) == [("a", "insert"), ("b", "insert"), (None, "unusable")]
    clear(world)
    world.execute("update app.histories_a set session_id = 'c' where session_id = 'a'")
    assert logged(world) == [("a", "move"), ("c", "update")]
    clear(world)
    world.execute("delete from app.histories_a where session_id = 'none'")
    assert logged(world) == []
    world.execute("delete from app.histories_a where session_id = 'b'")
    assert logged(world) == [("b", "delete")]
    clear(world)
    world.execute("truncate app.histories_a")
    assert logged(world) == [(None, "truncate")]
    clear(world)
    with world.connection.transaction():
        world.say("kept")
        with world.connection.transaction(force_rollback=True):
            world.say("lost")
    assert logged(world) == [("kept", "insert")]


@both_servers_if_wide
def test_upserts_and_copy_are_logged(world: World) -> None:
    world.crew()
    tick(world)
    world.say("a")
    clear(world)
    world.execute(
        "insert into app.histories_a (id, session_id) values (1, 'x'), (100, 'b') "
        "on conflict (id) do update set session_id = excluded.session_id"
    )
    assert set(logged(world)) == {("b", "insert"), ("a", "move"), ("x", "update")}
    clear(world)
    with world.connection.cursor() as cursor, cursor.copy("copy app.histories_a (session_id) from stdin") as copy:
        for number in range(10):
            copy.write_row([f"s{number % 2}"])
    assert logged(world) == [("s0", "insert"), ("s1", "insert")]


@both_servers
def test_a_trigger_never_fails_a_statement_of_the_application(world: World) -> None:
    world.crew()
    for number in range(3):
        world.say(f"s{number}")
    tick(world)
    clear(world)
    world.execute("alter table app.histories_a rename column session_id to conversation")
    world.execute("insert into app.histories_a (conversation, message) values ('s9', '{}')")
    world.execute("update app.histories_a set conversation = 's8' where id = 1")
    world.execute("delete from app.histories_a where id = 2")
    assert [operation for _, operation in logged(world)] == ["everything", "everything", "truncate"]
    tick(world, HISTORIES_SESSIONS)
    assert "no column session_id" in world.state()["last_error"]
    world.execute("alter table app.histories_a rename column conversation to session_id")
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_a_trigger_costs_no_further_transaction_id(world: World) -> None:
    world.crew()
    tick(world)

    def next_xid() -> int:
        return int(world.execute("select pg_snapshot_xmax(pg_current_snapshot())::text as xid")[0]["xid"])

    world.say("a")
    before = next_xid()
    for _ in range(10):
        world.say("a")
    assert next_xid() - before == 10


@both_servers_if_wide
def test_triggers_are_always_on(world: World) -> None:
    world.crew()
    tick(world)
    world.execute("set session_replication_role = replica")
    world.say("a")
    world.message(world.conversation())
    world.execute("reset session_replication_role")
    tick(world)
    assert_right(world)


@pytest.mark.representatives(4)
@both_servers_if_wide
@pytest.mark.parametrize(
    "bypass",
    [
        "alter table app.{0} disable trigger convo_pipelines_insert; {1};"
        "alter table app.{0} enable always trigger convo_pipelines_insert",
        "alter table app.{0} disable trigger user; {1}",
        "drop trigger convo_pipelines_insert on app.{0}; {1}",
        "alter table app.{0} disable trigger convo_pipelines_insert; {1}; cluster app.{0} using {0}_pkey",
    ],
)
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("histories_a", "insert into app.histories_a (session_id) values ('quiet')"),
        (
            "messages",
            "insert into app.messages (conversation_id, direction, sent_at) "
            "select id, 'inbound', now() from app.conversations",
        ),
    ],
)
def test_what_went_around_the_triggers_is_read_as_a_whole(world: World, table: str, change: str, bypass: str) -> None:
    world.crew()
    world.conversation()
    tick(world)
    world.execute(bypass.format(table, change))
    assert world.has_news()
    tick(world)
    assert_right(world)
    assert state(world, table)["mode"] == "captured"


# Which tables are captured, and how


@both_servers_if_wide
def test_only_tables_that_are_read_can_be_captured(world: World) -> None:
    world.crew("A")
    world.crew("B")
    world.execute("update app.crews set is_active = false where crew_code = 'B'")
    for table in ("app.schema_migrations", "app.histories_b", "pg_class"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is not read by the pipeline"):
            world.execute(f"select analytics.capture('{table}')")
    with pytest.raises(CaptureError, match="schema_migrations: not read by the pipeline"):
        capture.switch(world.warehouse, REGISTRY, ["schema_migrations"], on=True)


@both_servers_if_wide
def test_capture_can_be_switched_off_and_on(world: World) -> None:
    world.crew()
    tick(world)
    capture.switch(world.warehouse, REGISTRY, ["app.histories_a", "messages"], on=False)
    assert world.execute("select from pg_trigger where tgrelid = 'app.histories_a'::regclass") == []
    tick(world)
    world.say("old", when=NOW - timedelta(days=5))
    world.say("young", when=NOW)
    assert not world.has_news()  # nobody can tell
    tick(world)
    assert world.execute("select * from analytics.histories_sessions") == []
    assert "switched off" in world.state()["last_warning"]
    assert world.state()["mode"] == "uncaptured"
    world.reconcile()
    assert_right(world)
    capture.switch(world.warehouse, REGISTRY, [], on=True)
    world.say("old", when=NOW - timedelta(days=5))
    tick(world)
    assert_right(world)
    assert not world.has_news()


def test_a_crew_without_a_table_is_no_news_for_ever(world: World) -> None:
    world.crew()
    world.crew("B")
    world.execute("alter table app.crews alter histories_table_name drop not null")
    world.execute("update app.crews set histories_table_name = null where crew_code = 'B'")
    tick(world)
    assert not world.has_news()


@both_servers_if_wide
def test_a_view_is_read_by_reconcile_only(world: World) -> None:
    world.crew(create=False)
    world.execute("create table app.chats (session_id text, message jsonb, created_at timestamptz)")
    world.execute("create view app.histories_a as select * from app.chats")
    world.say("old", when=NOW - timedelta(days=9))
    tick(world)
    world.say("young", when=NOW)
    world.say("old", when=NOW - timedelta(days=9))
    tick(world)
    counted = {r["session_id"]: r["message_count"] for r in world.execute("select * from analytics.histories_sessions")}
    assert counted == {"old": 1}  # from the first build
    assert "it is a view" in world.state()["last_warning"]
    world.reconcile()
    oracle.assert_right(world)


def partitioned(world: World) -> None:
    world.crew(create=False)
    world.execute(
        "create table app.histories_a (id bigint generated by default as identity, session_id text, message jsonb, "
        "created_at timestamptz not null default now()) partition by range (created_at);"
        "create index on app.histories_a (created_at);"
        "create table app.march partition of app.histories_a for values from ('2026-03-01') to ('2026-04-01');"
        "create table app.april (id bigint not null, session_id text, message jsonb, created_at timestamptz not null);"
        "insert into app.april (id, session_id, created_at) values (1, 'attached', '2026-04-10')"
    )


@both_servers_if_wide
def test_partitions_are_captured_attached_and_detached(world: World) -> None:
    partitioned(world)
    world.say("through the parent")
    tick(world)
    world.say("through the parent")
    world.execute("insert into app.march (id, session_id, created_at) values (50, 'into the leaf', '2026-03-05')")
    tick(world)
    assert_right(world)
    world.execute(
        "alter table app.histories_a attach partition app.april for values from ('2026-04-01') to ('2026-05-01')"
    )
    assert world.has_news()
    tick(world)
    assert_right(world)
    world.execute("insert into app.april (id, session_id, created_at) values (2, 'late', '2026-04-11')")
    world.execute("update app.histories_a set created_at = '2026-04-12' where session_id = 'into the leaf'")
    tick(world)
    assert_right(world)
    world.execute("alter table app.histories_a detach partition app.march")
    tick(world)
    assert_right(world)
    world.execute("truncate app.april")
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_children_are_captured_too(world: World) -> None:
    world.crew()
    tick(world)
    world.execute("create table app.child () inherits (app.histories_a)")
    world.execute("insert into app.child (id, session_id) values (1, 'before')")
    tick(world)
    world.execute("insert into app.child (id, session_id) values (2, 'after')")
    tick(world)
    assert_right(world)


@debian_only
def test_a_table_with_a_foreign_partition_is_read_by_reconcile_only(world: World) -> None:
    partitioned(world)
    host, name = make_url(world.url).query["host"], make_url(world.url).database
    world.execute(
        "create extension postgres_fdw;"
        f"create server far foreign data wrapper postgres_fdw options (host '{host}', dbname '{name}');"
        "create user mapping for postgres server far options (user 'postgres');"
        "create foreign table app.may partition of app.histories_a for values from ('2026-05-01') to ('2026-06-01') "
        "server far options (schema_name 'app', table_name 'april')"
    )
    tick(world)
    assert state(world, "histories_a")["mode"] == "uncaptured"
    world.execute("insert into app.histories_a (session_id, created_at) values ('far', '2026-05-02')")
    world.reconcile()
    oracle.assert_right(world)


@both_servers_if_wide
def test_capturing_waits_neither_long_nor_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_ATTEMPTS", 2)
    monkeypatch.setattr(capture, "RETRY_SECONDS", 60)
    world.crew()
    world.say("a", when=NOW)
    waited: list[float] = []

    def write() -> None:
        with psycopg.connect(world.url, autocommit=True) as other:
            for _ in range(20):
                began = datetime.now(UTC)
                other.execute("insert into app.histories_a (session_id) values ('w')")
                waited.append((datetime.now(UTC) - began).total_seconds())

    with psycopg.connect(world.url) as holder:
        holder.execute("insert into app.histories_a (session_id) values ('held')")
        writer = threading.Thread(target=write)
        writer.start()
        tick(world)
        assert state(world, "histories_a")["mode"] == "uncaptured"
        assert "locked by another session" in world.state()["last_warning"]
        writer.join()
        assert max(waited) < 5
        world.say("later", when=NOW)
        tick(world)
        assert not world.execute("select from analytics.histories_sessions where session_id = 'later'")
    tick(world)
    assert state(world, "histories_a")["mode"] == "uncaptured"  # the next attempt is not due
    world.execute("update analytics.capture_state set retry_at = now()")
    tick(world)
    assert state(world, "histories_a")["mode"] == "captured"
    assert_right(world)


@both_servers_if_wide
def test_capture_is_installed_under_writers(world: World) -> None:
    world.crew()
    tick(world, *DISCOVERY)
    stop = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(world.url) as connection:
            while not stop.is_set():
                connection.execute("insert into app.histories_a (session_id) values (%s)", [f"w{number}"])
                connection.execute("delete from app.histories_a where id = (select min(id) from app.histories_a)")
                connection.commit()

    writers = [threading.Thread(target=write, args=[number]) for number in range(6)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        capture.switch(world.warehouse, REGISTRY, ["histories_a"], on=False)
        tick(world, *DISCOVERY)
        capture.switch(world.warehouse, REGISTRY, ["histories_a"], on=True)
        tick(world, *DISCOVERY)
    stop.set()
    for writer in writers:
        writer.join()
    tick(world)
    assert_right(world)


@both_servers_if_wide
@pytest.mark.wide
def test_a_rollback_leaves_no_trigger_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for crew in "ABC":
        world.crew(crew)
        world.say("s1", crew=crew)
    tick(world)
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    assert world.execute("select from pg_trigger where tgname like 'convo%'")
    assert rollback.down(("analytics",)) == "analytics"
    assert world.execute("select from pg_trigger where tgname like 'convo%'") == []
    world.say("s1")
    upgrade.up(("analytics",), url=world.url)
    tick(world)
    assert_right(world)


# What surrounds the database


@both_servers
def test_a_publication_of_all_tables_lets_the_logs_be_trimmed(world: World) -> None:
    world.execute("create publication everything for all tables")
    world.crew()
    world.say("a")
    tick(world)
    world.say("b")
    tick(world)
    world.say("b")
    world.execute("delete from app.histories_a where session_id = 'a'")
    tick(world)
    assert not world.has_news([table.name for table in DERIVED_TABLES])
    assert world.execute("select from analytics.changes") == []
    assert_right(world)


@both_servers
def test_row_security_on_a_source_is_an_error_and_deletes_nothing(server: Server) -> None:
    url = server.create(template="template_app")
    upgrade.up(("roles",), url=url)
    world = World(Warehouse(url))
    world.warehouse = Warehouse(make_url(url).set(username="convo_pipeline").render_as_string(hide_password=False))
    world.crew()
    world.say("a")
    world.address(world.conversation(), world.contact("a@a.example", world.person()))
    tick(world)
    for table in ("histories_a", "messages", "message_recipients", "people"):
        world.execute(f"alter table app.{table} enable row level security")
    world.say("a")
    world.message(world.conversation())
    tick(world, HISTORIES_SESSIONS)
    assert "row-level security" in world.state()["last_error"]
    [found] = sample(world.checks("every_message_is_counted")["every_message_is_counted"])
    assert found["counted"].endswith('for table "histories_a": run `alter role convo_pipeline bypassrls`')
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        tick(world, TABLES["people_conversations"])
    assert len(world.execute("select from analytics.people_conversations")) == 1
    assert len(world.execute("select from analytics.histories_sessions")) == 1
    for table in ("histories_a", "messages", "message_recipients", "people"):
        world.execute(f"alter table app.{table} disable row level security")
    tick(world)
    assert_right(world)
    world.close()


def test_a_view_of_the_owner_shows_all_rows_of_a_histories_table_with_row_security(server: Server) -> None:
    url = server.create(template="template_app")
    upgrade.up(("roles",), url=url)
    world, owner = World(Warehouse(url)), Warehouse(url)
    world.warehouse = Warehouse(make_url(url).set(username="convo_pipeline").render_as_string(hide_password=False))
    world.crew("SALES")
    [statements] = re.findall(r"(?s)```sql\n(alter table app\.histories_sales.*?)```", INSTALLING.read_text())
    world.execute(statements)
    installation.install(owner, None)
    world.say("a", crew="SALES")
    tick(world)
    [state] = world.execute("select mode, last_error from analytics.crew_discovery_state")
    assert state == {"mode": "captured", "last_error": None}
    assert_right(world)
    owner.close()
    world.close()


@both_servers_if_wide
def test_a_dump_that_runs_for_long_holds_nothing_up(world: World) -> None:
    world.crew()
    with psycopg.connect(world.url) as dump:
        dump.execute("set transaction isolation level repeatable read")
        for [name] in dump.execute(
            "select oid::regclass::text from pg_class where relname in ('histories_a', 'messages')"
        ):
            dump.execute(f"lock table {name} in access share mode")
        world.say("a")
        tick(world)
        world.say("a")
        tick(world)
        assert_right(world)
        assert not world.has_news([table.name for table in DERIVED_TABLES])
        assert world.execute("select from analytics.changes") == []


@both_servers
def test_freezing_and_rewriting_the_state_does_not_make_it_foreign(world: World) -> None:
    world.crew()
    world.say("a")
    tick(world)
    world.execute("vacuum freeze analytics.refresh_state")
    world.execute("vacuum full analytics.refresh_state")
    for table in DERIVED_TABLES:
        with world.warehouse.connection() as connection:
            assert change_log.look(connection, table).from_snapshot is not None


# Snapshots


@both_servers_if_wide
def test_the_logs_are_trimmed_up_to_what_every_table_has_read(world: World) -> None:
    world.crew()
    tick(world)
    world.say("a")
    tick(world, *DISCOVERY)
    assert {row["source"] for row in world.execute("select source from analytics.changes")} == {
        "histories", "histories_sessions", "conversations", "conversation_summaries", "conversation_days"
    }  # fmt: skip
    tick(world)
    assert not world.has_news([table.name for table in DERIVED_TABLES])
    assert world.execute("select from analytics.changes") == []


@both_servers_if_wide
def test_a_table_in_which_nothing_happens_does_not_keep_the_logs(world: World) -> None:
    world.crew()
    tick(world)
    for number in range(3):
        world.say(f"s{number}")
        tick(world, *DISCOVERY)
        world.has_news([table.name for table in DERIVED_TABLES])
    tick(world)
    world.has_news([table.name for table in DERIVED_TABLES])
    assert world.execute("select from analytics.changes") == []


@both_servers_if_wide
def test_a_first_build_is_one_reading_and_trims_beside_it_leave_it_its_changes(unbuilt: World) -> None:
    world = unbuilt
    world.crew()
    talk = world.conversation()
    world.message(talk)
    tick(world, HISTORIES_SESSIONS, TABLES["project_conversations"])
    with world.warehouse.connection() as connection:
        assert change_log.look(connection, TABLES["conversation_summaries"]).from_snapshot is None
        world.message(talk)
        tick(world, HISTORIES_SESSIONS, TABLES["project_conversations"])
        at_start = change_log.begin_build(connection, TABLES["conversation_summaries"])
        world.message(talk)
        tick(world, HISTORIES_SESSIONS, TABLES["project_conversations"])
        change_log.trim(connection, REGISTRY)
        assert change_log.store(connection, at_start)
        assert change_log.look(connection, TABLES["conversation_summaries"]).has_news
    tick(world)
    outcome, _ = ticks.tick(world.warehouse, TABLES["conversation_summaries"], log)
    assert outcome.keys == 0


def test_a_look_that_nobody_has_to_read_is_not_shown_again(world: World) -> None:
    world.message(world.conversation())
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)
    with world.warehouse.connection() as connection:
        snapshots = [of.snapshot for of in change_log.watermarks(connection, DERIVED_TABLES).values() if of.snapshot]
        assert change_log.look_at_all(connection, change_log.oldest(snapshots)).operations == frozenset()
    written = world.execute("select max(written_by::text::bigint) from analytics.refresh_state")
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)
    assert world.execute("select max(written_by::text::bigint) from analytics.refresh_state") == written


@both_servers_if_wide
def test_two_ticks_at_once_move_the_watermark_once(world: World) -> None:
    world.crew()
    tick(world)
    with world.warehouse.connection() as connection:
        one = change_log.look(connection, HISTORIES_SESSIONS)
        world.say("a")
        other = change_log.look(connection, HISTORIES_SESSIONS)
        assert change_log.store(connection, other)
        assert not change_log.store(connection, one)
        assert change_log.look(connection, HISTORIES_SESSIONS).from_snapshot == other.to_snapshot


@both_servers_if_wide
def test_a_tick_that_dies_has_read_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew()
    tick(world)
    world.say("a")
    world.message(world.conversation())

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(change_log, "store", die)
        for table in DISCOVERY:
            with pytest.raises(KeyboardInterrupt):
                tick(world, table)
    tick(world)
    assert_right(world)


@both_servers_if_wide
def test_a_log_that_nobody_reads_collapses(
    world: World, monkeypatch: pytest.MonkeyPatch, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    world.crew()
    for _ in range(2):
        world.say("s1", when=at(0))
    world.address(world.conversation(), world.contact("a@a.example", world.person()))
    tick(world)
    monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", 10)
    world.execute("delete from app.histories_a where id = 1")
    for number in range(20):
        world.say(f"s{number}", when=NOW)
    world.execute("update app.contact_methods set value = 'b@a.example'")
    world.execute("analyze analytics.session_changes")
    with world.warehouse.connection() as connection:
        change_log.trim(connection, REGISTRY)
    assert {row["operation"] for row in world.execute("select operation from analytics.changes")} == {"everything"}
    tick(world)
    oracle.assert_links_right(world)
    assert world.reconcile().repairs.changed == 0
    old = world.execute("select * from analytics.histories_sessions where activity_date = %s", DAY.date())
    assert [row["message_count"] for row in old] == [2]


@both_servers_if_wide
def test_freshness_says_as_of_when_each_table_is_right(world: World) -> None:
    world.crew()
    tick(world)
    world.say("a")
    fresh = {row["table_name"]: row for row in world.execute("select * from analytics.freshness")}
    assert set(fresh) == {table.name for table in DERIVED_TABLES}
    waiting = fresh["histories_sessions"]
    assert waiting["changes_waiting"] == 1
    assert waiting["as_of"] < waiting["waiting_since"]
    assert fresh["project_conversations"]["waiting_since"] is None
    tick(world)
    assert all(row["changes_waiting"] == 0 for row in world.execute("select * from analytics.freshness"))


def test_chunks_of_a_dead_tick_are_not_lost_on_the_tables_further_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.crew("A")
    world.crew("B")
    tick(world)
    for crew in "AB":
        world.say("s1", crew=crew)
    with monkeypatch.context() as patch:
        patch.setattr(change_log, "store", lambda *_: False)
        tick(world, HISTORIES_SESSIONS)
    tick(world, *DISCOVERY[1:])
    tick(world)
    assert_right(world)
    assert not world.has_news(PIPELINE)


# What else applications and databases do


@both_servers_if_wide
def test_a_table_that_is_a_partition_of_another_hears_of_writes_through_its_parent(world: World) -> None:
    world.execute(
        "create table app.histories (id bigint not null, crew text, session_id text, message jsonb, "
        "created_at timestamptz default now()) partition by list (crew);"
        "create table app.histories_a partition of app.histories for values in ('a')"
    )
    world.crew(create=False)
    tick(world)
    for change in (
        "insert into app.histories (id, crew, session_id) values (1, 'a', 's1'), (2, 'a', 's2')",
        "update app.histories set session_id = 's3' where id = 1",
        "delete from app.histories where id = 2",
        "insert into app.histories_a (id, crew, session_id) values (3, 'a', 's4')",
        "truncate app.histories",
    ):
        world.execute(change)
        assert world.has_news()
        tick(world)
        assert_right(world)


@both_servers_if_wide
def test_a_crew_that_names_a_table_of_the_application_stops_nobody_else(world: World) -> None:
    for crew, table in (("A", None), ("B", "messages")):
        world.crew(crew, table=table, create=table is None)
    world.say("s1")
    tick(world)
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    assert "no column session_id" in world.state("B")["last_error"]


@pytest.mark.representatives(2)
@both_servers_if_wide
@pytest.mark.parametrize("case", ["off and on", "dropped leaf", "detached leaf", "swapped"])
def test_what_is_pruned_stays_archive_whatever_happens_next(
    world: World, archive_after: Callable[[int], None], case: str
) -> None:
    archive_after(7)
    if case.endswith("leaf"):
        partitioned(world)
    else:
        world.crew()
    world.execute(
        "insert into app.histories_a (session_id, created_at) values ('s1', '2026-03-05'), ('s1', '2026-03-05')"
    )
    tick(world)
    if case == "off and on":
        world.execute("update app.crews set is_active = false")
        tick(world)
        world.execute("delete from app.histories_a")
        tick(world)
        world.execute("update app.crews set is_active = true")
    elif case == "dropped leaf":
        world.execute("delete from app.march; drop table app.march")
    elif case == "detached leaf":
        world.execute("alter table app.histories_a detach partition app.march")
    else:
        world.execute("delete from app.histories_a; alter table app.histories_a rename to histories_old")
        world.execute("create table app.histories_a (like app.histories_old including all)")
    tick(world)
    [day] = world.execute("select * from analytics.histories_sessions")
    assert (day["message_count"], day["archived_at"] is None) == (2, False)
    assert world.reconcile().repairs.changed == 0


def months(world: World) -> None:
    """A table of partitions: January and February with a session each, March without a row, and a child of January."""
    world.crew(create=False)
    world.execute(
        "create table app.histories_a (id bigint, session_id text, message jsonb, created_at timestamptz not null) "
        "partition by range (created_at);"
        "create index on app.histories_a (created_at);"
        "create table app.january partition of app.histories_a for values from ('2026-01-01') to ('2026-02-01') "
        "partition by range (created_at);"
        "create table app.new_year partition of app.january for values from ('2026-01-01') to ('2026-01-02');"
        "create table app.other_days partition of app.january default;"
        "create table app.february partition of app.histories_a for values from ('2026-02-01') to ('2026-03-01');"
        "create table app.march partition of app.histories_a for values from ('2026-03-01') to ('2026-04-01');"
        "insert into app.histories_a (id, session_id, created_at) values (1, 'new year', '2026-01-01'), "
        "(2, 'january', '2026-01-10'), (3, 'february', '2026-02-10'), (4, 'february', '2026-02-10')"
    )
    tick(world)


PRUNED = {
    "update app.january set message = '{}'; drop table app.january": {"new year", "january"},
    "truncate app.january": {"new year", "january"},
    "alter table app.january detach partition app.new_year": {"new year"},
    "alter table app.histories_a detach partition app.march": set[str](),
    "create temp table kept as table app.histories_a; truncate app.histories_a; "
    "insert into app.histories_a select * from kept where session_id <> 'january'": {"january"},
    "drop table app.january": {"new year", "january"},
    "alter table app.histories_a detach partition app.january": {"new year", "january"},
    "drop table app.new_year": {"new year"},
    "truncate app.new_year": {"new year"},
    "truncate app.march": set[str](),
    "drop table app.january; truncate app.march": {"new year", "january"},
}


@pytest.mark.representatives(5)
@both_servers_if_wide
@pytest.mark.parametrize("pruning", PRUNED)
def test_only_what_a_partition_held_is_archive(
    world: World, archive_after: Callable[[int], None], pruning: str
) -> None:
    archive_after(7)
    months(world)
    world.execute("update app.histories_a set session_id = 'first' where id = 3")
    world.execute("update app.histories_a set session_id = 'first' where id = 4")
    with world.connection.transaction():
        world.execute(pruning)
    tick(world)
    world.execute("update app.histories_a set session_id = 'moved' where session_id = 'first'")
    tick(world)
    days = world.execute("select session_id, message_count, archived_at from analytics.histories_sessions")
    assert {day["session_id"] for day in days if day["archived_at"]} == PRUNED[pruning]
    assert {day["session_id"]: day["message_count"] for day in days} == {"new year": 1, "january": 1, "moved": 2}
    assert world.reconcile().drift.changed == 0


@pytest.mark.representatives(1)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_archive_after_any_pruning(world: World, archive_after: Callable[[int], None], seed: int) -> None:
    archive_after(7)
    months(world)
    draw = random.Random(seed)
    stored = Counter({("new year", 1): 1, ("january", 1): 1, ("february", 2): 2})
    rows, archive = list(stored.elements()), set[tuple[str, int]]()
    named, left, is_pruned = set[tuple[str, int]](), set[tuple[str, int]](), False
    for _ in range(60):
        month, session, other = draw.randint(1, 2), f"s{draw.randint(1, 4)}", f"s{draw.randint(1, 4)}"
        partition = ("january", "february")[month - 1]
        match draw.choice(["insert", "insert", "move", "edit", "delete", "truncate", "detach", "tick", "tick"]):
            case "insert":
                world.execute(
                    f"insert into app.{partition} (session_id, created_at) values (%s, '2026-{month}-10')", session
                )
                rows.append((session, month))
            case "move" if session != other:
                world.execute("update app.histories_a set session_id = %s where session_id = %s", other, session)
                left |= {row for row in rows if row[0] == session}
                rows = [(other, day) if name == session else (name, day) for name, day in rows]
            case "edit":
                world.execute("update app.histories_a set message = '{}' where session_id = %s", session)
            case "delete":
                world.execute(f"delete from app.{partition} where session_id = %s", session)
                named |= {row for row in rows if row == (session, month)}
                rows = [row for row in rows if row != (session, month)]
            case "truncate":
                world.execute(f"truncate app.{partition}")
                rows, is_pruned = [row for row in rows if row[1] != month], True
            case "detach" if month == 2:
                world.execute(
                    "alter table app.histories_a detach partition app.february; drop table app.february;"
                    "create table app.february partition of app.histories_a "
                    "for values from ('2026-02-01') to ('2026-03-01')"
                )
                rows, is_pruned = [row for row in rows if row[1] != month], True
            case "tick":
                tick(world, HISTORIES_SESSIONS)
                now = Counter(rows)
                archive |= {
                    day for day in stored if day in named or (is_pruned and day not in left and now[day] < stored[day])
                }
                stored = now | Counter({day: count for day, count in stored.items() if day in archive})
                named, left, is_pruned = set(), set(), False
                found = world.execute(
                    "select session_id as name, extract(month from activity_date)::int as month, message_count, "
                    "archived_at is not null as is_archive from analytics.histories_sessions"
                )
                assert {(day["name"], day["month"]): day["message_count"] for day in found} == stored
                assert {(day["name"], day["month"]) for day in found if day["is_archive"]} == archive
            case _:
                pass
    assert world.reconcile().drift.changed == 0


def test_a_deletion_that_was_read_makes_nothing_archive_later(
    world: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    months(world)
    world.say("s1", when=at(-9))
    world.execute("delete from app.histories_a where session_id = 's1'")
    tick(world, HISTORIES_SESSIONS)
    world.say("s1", when=at(-9))
    tick(world, HISTORIES_SESSIONS)
    world.execute(
        "create table app.april partition of app.histories_a for values from ('2026-04-01') to ('2026-05-01')"
    )
    tick(world)
    assert world.execute("select from analytics.histories_sessions where archived_at is not null") == []


@both_servers_if_wide
def test_only_what_a_child_held_is_archive_once_it_leaves(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.crew()
    world.execute("create table app.child () inherits (app.histories_a)")
    world.say("stays", when=at())
    world.execute("insert into app.child (id, session_id, created_at) values (1, 'leaves', %s)", at())
    tick(world)
    world.execute("alter table app.child no inherit app.histories_a")
    tick(world)
    world.execute("update app.histories_a set session_id = 'moved'")
    tick(world)
    days = world.execute("select session_id, archived_at is not null as is_archive from analytics.histories_sessions")
    assert {day["session_id"]: day["is_archive"] for day in days} == {"leaves": True, "moved": False}


@pytest.mark.parametrize("why", ["off", "broken", "broken, with many moves", "off, and another table", "collapsed"])
def test_a_pruning_that_a_crew_could_not_read_is_remembered(
    world: World, archive_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    archive_after(7)
    months(world)
    if why.startswith("off"):
        world.execute("update app.crews set is_active = false")
        tick(world)
    elif why.startswith("broken"):
        world.execute("alter table app.histories_a rename message to content")
    world.execute("truncate app.january")
    if why == "collapsed":
        monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", -1)
        with world.warehouse.connection() as connection:
            change_log.trim(connection, REGISTRY)
    tick(world)
    tick(world)
    if why == "broken, with many moves":
        monkeypatch.setattr(histories, "RETRIED_KEYS", 1)
    if why.startswith("broken") or why == "off":
        world.execute("update app.february set session_id = 'moved'")
        tick(world)
        tick(world)
    if why.startswith("broken"):
        world.execute("alter table app.histories_a rename content to message")
    elif why == "off, and another table":
        world.execute("create table app.other (like app.histories_a); insert into app.other table app.histories_a")
        world.execute("update app.crews set histories_table_name = 'other'")
    world.execute("update app.crews set is_active = true")
    tick(world)
    days = world.execute("select session_id, archived_at is not null as is_archive from analytics.histories_sessions")
    stays = "moved" if why.startswith("broken") or why == "off" else "february"
    assert {day["session_id"]: day["is_archive"] for day in days} == {"new year": True, "january": True, stays: False}
    assert world.state()["pruned_at"] is None
    assert world.execute("select from analytics.unjudged_moves") == []
    assert world.reconcile().drift.changed == 0


@pytest.mark.representatives(2)
@both_servers_if_wide
@pytest.mark.parametrize("case", ["truncated", "between two statements", "collapsed", "twice"])
def test_a_deleted_conversation_does_not_come_back(world: World, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    crew = world.crew()
    world.say("s1")
    tick(world)
    if case == "truncated":
        world.execute("truncate app.conversations cascade")
    elif case == "between two statements":
        chosen = keys.choose_keys

        def interrupted(*arguments: Any, **choice: Any) -> Any:
            found = chosen(*arguments, **choice)
            world.execute("delete from app.conversations")
            return found

        with monkeypatch.context() as patch:
            for module in (crew_chunks, executors, spans):
                patch.setattr(module, "choose_keys", interrupted)
            ticks.compare(world.warehouse, CREW_CONVERSATIONS, log)
    elif case == "collapsed":
        world.execute("delete from app.conversations; analyze analytics.conversations_changes")
        monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", 0)
        with world.warehouse.connection() as connection:
            change_log.trim(connection, REGISTRY)
        monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", 10**6)
    else:
        world.execute("delete from app.conversations")
        tick(world)
        world.conversation(channel="crew", crew_id=crew, session_id="s1")
        world.say("s1")
        tick(world)
        world.execute("delete from app.conversations")
    tick(world)
    world.reconcile()
    world.backfill(at(-1).date(), at(1).date())
    assert world.execute("select from app.conversations") == []
    assert world.reconcile().repairs.changed == 0
    world.say("s1")
    tick(world)
    assert_right(world)


@both_servers
def test_the_application_is_never_the_victim_of_a_deadlock(world: World) -> None:
    people = [world.person(email=f"p{number}@example.com") for number in range(2)]
    talk = world.conversation()
    for number in range(2):
        world.address(talk, world.contact(f"p{number}@example.com"))
    tick(world, *DERIVED_TABLES[:4])
    first, last = sorted(people)
    with psycopg.connect(world.url) as application:
        application.execute("delete from app.people where id = %s", [last])
        run = threading.Thread(target=lambda: suppressed(world))
        run.start()
        application.execute("select pg_sleep(1.5)")
        application.execute("delete from app.people where id = %s", [first])
    run.join()
    tick(world)
    assert_right(world)


SHADOWS = (
    "function public.to_char(date, text) returns text language sql return 'x'",
    "function public.octet_length(varchar) returns int language sql return 9999",
    "function public.round(bigint) returns bigint language sql return 7",
)


@pytest.mark.wide
def test_functions_named_like_those_of_postgresql_change_nothing(world: World) -> None:
    for shadow in SHADOWS:
        world.execute(f"create {shadow}")
    world.crew()
    world.say("s1")
    world.address(world.conversation(), world.contact("ben@b.example", world.person()))
    tick(world)
    assert_right(world)
    assert {name for name, check in world.checks().items() if not check.passed} == set()


@both_servers_if_wide
def test_connections_are_kept_whatever_the_timeout_of_idle_ones(world: World) -> None:
    world.crew()
    tick(world)
    [database] = world.execute("select current_database() as name")
    world.execute(f"alter database {database['name']} set idle_session_timeout = '200ms'")
    with Warehouse(world.url).connection() as connection:
        connection.execute("select 1")
        world.execute("select pg_sleep(0.5)")
        connection.execute("select 1")


@debian_only
def test_sessions_that_a_collation_takes_for_equal_are_told_apart(world: World) -> None:
    world.execute("create collation app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    world.crew()
    world.execute("alter table app.histories_a alter column session_id type text collate app.ci")
    tick(world)
    for change in (
        "insert into app.histories_a (session_id) values ('abc'), ('ABC'), ('Abc')",
        "update app.histories_a set message = '{\"type\": \"ai\"}' where session_id = 'abc'",
        "update app.histories_a set session_id = 'ABC' where session_id = 'abc'",
        "delete from app.conversations where session_id = 'ABC'",
        "insert into app.histories_a (session_id) values ('abc')",
    ):
        world.execute(change)
        tick(world)
        oracle.assert_right(world, oracle.without_conversation(world))
    assert {row["session_id"] for row in world.execute("select * from app.conversations")} == {"abc", "Abc"}
    assert world.reconcile().repairs.changed == 0


@pytest.mark.parametrize("turns", range(3, 6))
def test_two_ticks_that_collapse_the_log_at_once(world: World, turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew()
    tick(world)
    world.say("s1")
    world.execute("analyze analytics.session_changes")
    monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", 0)

    def trim(warehouse: Warehouse) -> None:
        with warehouse.connection() as connection:
            change_log.trim(connection, REGISTRY)

    interleave(world.url, [trim, trim], [*[0] * turns, *[1, 0] * 10], lambda: None, monkeypatch)
    monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS", 10**6)
    tick(world)
    assert_right(world)


def test_a_crew_that_is_switched_off_while_it_is_compared_has_no_drift(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.crew()
    tick(world)
    switch = "update app.crews set is_active = %s"
    world.execute(switch, False)
    world.say("s1")
    tick(world)
    world.execute(switch, True)
    capture.sync(world.warehouse, REGISTRY)  # logs that all of it is to be read
    write_before("drop table pg_temp.keys", lambda: world.execute(switch, False), monkeypatch)
    outcome, _ = ticks.compare(world.warehouse, HISTORIES_SESSIONS, logging.getLogger("test"))
    assert (outcome.counts.inserted, outcome.drift.changed) == (1, 0)


def suppressed(world: World) -> None:
    with suppress(psycopg.errors.LockNotAvailable):
        tick(world, TABLES["people_conversations"])


@both_servers_if_wide
@pytest.mark.parametrize(
    "setting", ["datestyle = 'German'", "quote_all_identifiers = on", "timezone = 'Asia/Tokyo'", "array_nulls = off"]
)
def test_settings_of_the_database_change_nothing(world: World, setting: str) -> None:
    [database] = world.execute("select current_database() as name")
    world.execute(f"alter database {database['name']} set {setting}")
    world.crew()
    world.say("s1")
    tick(world)
    world.say("s1", when=at(1, 23.5))
    tick(world)
    assert_right(world)
