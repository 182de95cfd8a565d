"""The lake: every day of every table is what the database has, whatever happens to either."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from pyarrow import parquet
from pyiceberg.table import Transaction
from sqlalchemy import make_url

from convo_pipelines import read
from convo_pipelines.cli import main
from convo_pipelines.database import addresses, connections
from convo_pipelines.database.migrations import record
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, ticks
from convo_pipelines.engine import refresh as engine
from convo_pipelines.lake import comparison, refresh, store, upkeep
from convo_pipelines.lake.tables import LAKE_TABLES
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import health
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, company
from convo_pipelines_tests.lakes import assert_same, in_lake
from convo_pipelines_tests.world import World, at

SUMMARIES = next(table for table in LAKE_TABLES if table.name == "conversation_summaries")


@pytest.fixture
def lake(world: World, tmp_path: Path, environment: Callable[..., object]) -> Iterator[World]:
    """A company whose lake is in a folder, with its catalog in the same database."""
    environment(CONVO_DATABASE_URL=world.url, LAKE_URI=f"file://{tmp_path}")
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()
    company(world)
    yield world
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()


def tick(world: World) -> dict[str, refresh.Written]:
    return {table.name: refresh.tick(world.warehouse, table) for table in LAKE_TABLES}


def test_what_changes_is_in_the_lake_after_a_tick(lake: World) -> None:
    done = tick(lake)
    assert all(written.is_everything for written in done.values())
    assert_same(lake)
    assert not any(written.days for written in tick(lake).values())

    lake.say("4915112345678", "ai", at(3))
    talk = lake.conversation()
    lake.message(talk, when=at(5))
    lake.tick()
    lake.sync()
    done = tick(lake)
    assert at(3).date() in done["histories_sessions"].days
    assert not done["histories_sessions"].is_everything
    assert_same(lake)

    lake.execute("delete from app.messages where conversation_id = %s", talk)
    lake.execute("update app.conversations set started_at = started_at - interval '40 days'")
    lake.tick()
    lake.sync()
    tick(lake)
    assert_same(lake)


@pytest.mark.representatives(1)
@pytest.mark.parametrize(
    "setting",
    ["datestyle = 'German, DMY'", "timezone = 'Asia/Kathmandu'", "extra_float_digits = -15", "bytea_output = 'escape'"],
)
def test_what_a_database_sets_makes_no_difference(lake: World, setting: str) -> None:
    lake.execute(f"alter database {make_url(lake.url).database} set {setting}")
    for day in (3, 4):
        lake.message(lake.conversation(), when=at(day))
        lake.tick()
        tick(lake)
    assert_same(lake)


class KilledError(BaseException):
    """What ends a process."""


def killed(*_: object, **__: object) -> None:
    raise KilledError


@pytest.mark.representatives(1)
@pytest.mark.parametrize("where", ["commit", "flush", "store"])
def test_a_tick_that_is_killed_has_done_nothing_or_all(
    lake: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    tick(lake)
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    real = refresh.execute

    def dying(connection: Any, statement: str, /, *names: Any, **values: object) -> Any:
        return killed() if statement == f"lake/{where}" else real(connection, statement, *names, **values)

    with monkeypatch.context() as patch:
        if where == "commit":
            patch.setattr(Transaction, "commit_transaction", killed)
        patch.setattr(refresh, "execute", dying)
        with pytest.raises(KilledError):
            tick(lake)
    tick(lake)
    assert_same(lake)
    assert not any(written.days for written in tick(lake).values())


def rows_of_log(world: World, table: str) -> list[dict[str, Any]]:
    return world.execute(f"select * from analytics.{table}_changes where operation <> 'retry'")


def triggers(world: World) -> list[dict[str, Any]]:
    """Those on the derived tables that their definitions do not have."""
    return world.execute(
        "select from pg_trigger where not tgisinternal and tgname like 'convo_pipelines%' and "
        "tgrelid::regclass::text like 'analytics.%' and tgrelid <> 'analytics.people_conversations'::regclass"
    )


@pytest.mark.parametrize(
    "write",
    [
        "delete from app.conversations",
        "delete from app.people",
        "delete from app.clients",
        "truncate app.conversations cascade",
        "update analytics.conversation_summaries set started_at = started_at - interval '3 days'",
        "update analytics.histories_sessions set activity_date = activity_date + 1",
        "update analytics.people_conversations set created_at = '2020-02-02'",
        "delete from analytics.clients_conversations",
        "truncate analytics.client_activity_daily",
        "insert into analytics.participant_resolutions (contact_method_id, status, candidate_count, resolved_at) "
        "select id, 'invalid', 0, '-infinity' from app.contact_methods "
        "on conflict (contact_method_id) do update set resolved_at = excluded.resolved_at",
    ],
)
def test_what_no_refresh_writes_is_in_the_lake_too(lake: World, write: str) -> None:
    tick(lake)
    lake.execute(write)
    done = tick(lake)
    assert any(written.days or written.is_everything for written in done.values())
    assert_same(lake)
    lake.tick()
    lake.sync()
    lake.reconcile()
    tick(lake)
    assert_same(lake)
    oracle.assert_right(lake, deleted=oracle.without_conversation(lake))
    oracle.assert_links_right(lake)


def test_a_change_that_is_committed_late_is_in_the_next_tick(lake: World) -> None:
    tick(lake)
    with psycopg.connect(lake.url) as late:
        late.execute("delete from app.conversations where channel = 'email'")
        lake.message(lake.conversation(), when=at(5))
        lake.execute("update analytics.histories_sessions set activity_date = activity_date + 7")
        tick(lake)
        assert_same(lake)
        assert not any(written.days for written in tick(lake).values())
        lake.execute("select pg_current_xact_id()")
    tick(lake)
    assert_same(lake)


def test_a_refresh_leaves_the_log_to_triggers_which_say_when_the_application_wrote(lake: World) -> None:
    tick(lake)
    lake.tick()
    before = {table: len(rows_of_log(lake, table)) for table in ("conversation_summaries", "conversation_days")}
    lake.message(lake.conversation(), when=at(5))
    [written] = lake.execute("select max(logged_at) as at from analytics.messages_changes")
    time.sleep(0.2)
    lake.tick()
    for table, number in before.items():
        [row] = rows_of_log(lake, table)[number:]
        assert row["logged_at"] <= written["at"], table
    assert rows_of_log(lake, "conversation_summaries")[-1]["started_at"] == at(5)


def test_many_rows_are_logged_once_and_as_of_the_application(lake: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tick(lake)
    lake.tick()
    monkeypatch.setattr(engine, "at_once", lambda *_, **__: None)
    before = len(rows_of_log(lake, "conversation_summaries"))
    lake.message(lake.conversation(), when=at(5))
    [written] = lake.execute("select max(logged_at) as at from analytics.messages_changes")
    time.sleep(0.2)
    lake.tick()
    [row] = rows_of_log(lake, "conversation_summaries")[before:]
    assert row["logged_at"] <= written["at"]
    tick(lake)
    assert_same(lake)


def test_a_lake_that_is_not_there_costs_nothing(lake: World) -> None:
    assert not triggers(lake)
    lake.message(lake.conversation(), when=at(5))
    for _ in range(2):
        lake.tick()
        lake.sync()
    assert not rows_of_log(lake, "client_activity_daily")
    assert not rows_of_log(lake, "messages")


def test_logs_are_kept_until_the_lake_has_read_them_or_follows_no_more(lake: World) -> None:
    def write() -> None:
        lake.message(lake.conversation(), when=at(5))
        lake.tick()
        lake.sync()

    def settle() -> None:
        for _ in range(2):
            lake.tick()
            lake.sync()

    tick(lake)
    write()
    settle()
    assert rows_of_log(lake, "conversation_summaries")
    [trimmed] = lake.execute("select trimmed_at as at from analytics.trim_state")
    assert not ticks.have_news(lake.warehouse, DERIVED_TABLES)
    assert lake.execute("select trimmed_at as at from analytics.trim_state") == [trimmed]
    tick(lake)
    settle()
    assert not rows_of_log(lake, "conversation_summaries")
    write()
    done = CliRunner().invoke(main, ["lake", "unfollow"])
    assert done.exit_code == 0, done.output
    assert not triggers(lake)
    settle()
    assert not rows_of_log(lake, "conversation_summaries")
    write()
    assert not rows_of_log(lake, "client_activity_daily")
    assert all(written.is_everything for written in tick(lake).values())
    assert_same(lake)
    assert len(triggers(lake)) == 4 * (len(LAKE_TABLES) - 1)
    assert lake.execute("select from pg_trigger where tgrelid = 'analytics.people_conversations'::regclass") != []


@pytest.mark.parametrize(
    "lost",
    [
        "drop trigger convo_pipelines_update on analytics.conversation_summaries",
        "alter table analytics.conversation_summaries disable trigger convo_pipelines_update",
        "alter table analytics.conversation_summaries disable trigger user",
    ],
)
def test_triggers_that_are_gone_or_off_are_created_again_and_all_days_written(lake: World, lost: str) -> None:
    tick(lake)
    lake.execute(lost)
    lake.execute("update analytics.conversation_summaries set message_count = message_count + 1")
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    assert refresh.tick(lake.warehouse, SUMMARIES).is_everything
    tick(lake)
    assert_same(lake)


FORMER = """
create function analytics.log_lake_days() returns trigger language plpgsql as 'begin return null; end';
create trigger convo_pipelines_lake_delete after delete on analytics.conversation_summaries
for each statement execute function analytics.log_lake_days();
"""


def test_a_lake_of_the_version_before_is_written_again_forth_and_back(lake: World) -> None:
    tick(lake)
    lake.execute("delete from app.conversations where channel = 'email'")
    newest = record.newest()
    while newest and newest.name != "0002_log_per_source":
        down = CliRunner().invoke(main, ["migrate", "down", "--only", "analytics", "--yes"])
        assert down.exit_code == 0, down.output
        newest = record.newest()
    assert not triggers(lake)
    lake.execute("delete from app.people")
    lake.execute(FORMER)
    lake.execute("delete from analytics.lake_state")
    assert CliRunner().invoke(main, ["migrate", "up"]).exit_code == 0
    assert not triggers(lake)
    assert lake.execute("select table_name from analytics.lake_state") == [{"table_name": SUMMARIES.name}]
    lake.tick()
    lake.sync()
    oracle.assert_links_right(lake)
    assert all(written.is_everything for written in tick(lake).values())
    assert_same(lake)


def test_a_lake_that_was_given_up_is_named_and_keeps_no_log_for_ever(
    lake: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(lake)
    lake.execute("update analytics.lake_state set attempted_at = now() - interval '25 hours'")
    [found] = health.look(lake.warehouse)
    assert (found.kind, found.subject) == ("the lake is behind", "client_activity_daily")
    assert "lake unfollow" in found.remedy
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    monkeypatch.setattr(change_log, "LARGEST_LOG_ROWS_FOR_LAKE", -2)
    for _ in range(2):
        lake.tick()
        lake.sync()
    assert not rows_of_log(lake, "conversation_summaries")
    assert all(written.is_everything for written in tick(lake).values())
    assert_same(lake)
    assert health.look(lake.warehouse) == []


@pytest.mark.wide
@pytest.mark.parametrize("is_trimmed", [True, False])
def test_a_lake_that_was_restored_is_written_again(lake: World, *, is_trimmed: bool) -> None:
    tick(lake)
    location = "select metadata_location as at from lake.iceberg_tables where table_name = 'conversation_summaries'"
    [before] = lake.execute(location)
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    tick(lake)
    lake.execute(
        "update lake.iceberg_tables set metadata_location = %s where table_name = 'conversation_summaries'",
        before["at"],
    )
    if is_trimmed:
        lake.tick()
        lake.sync()
        lake.tick()
    assert tick(lake)[SUMMARIES.name].is_everything == is_trimmed
    assert_same(lake)


def test_a_day_that_somebody_deleted_is_found_and_repaired(lake: World) -> None:
    tick(lake)
    assert comparison.differences(lake.warehouse, SUMMARIES) == []
    table = read.lake("conversation_summaries")
    [gone, *_] = sorted({row["day"] for row in table.scan().to_arrow().to_pylist()})
    table.delete(f"day == '{gone}'")
    [found] = comparison.repair(lake.warehouse, SUMMARIES)
    assert (found.day, found.rows_in_lake, "rows" in found.columns) == (gone, 0, True)
    assert comparison.differences(lake.warehouse, SUMMARIES) == []
    assert_same(lake)


def test_what_is_unread_is_no_difference(lake: World) -> None:
    tick(lake)
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    assert [d for table in LAKE_TABLES for d in comparison.differences(lake.warehouse, table)] == []


def test_a_new_column_appears_in_the_lake_with_its_comment(lake: World) -> None:
    tick(lake)
    lake.execute("alter table analytics.conversation_summaries add column mood text default 'calm'")
    lake.execute("comment on column analytics.conversation_summaries.mood is 'How it went.'")
    assert refresh.tick(lake.warehouse, SUMMARIES).is_everything
    assert read.lake("conversation_summaries").schema().find_field("mood").doc == "How it went."
    assert_same(lake)
    lake.execute("alter table analytics.conversation_summaries drop column mood")
    tick(lake)
    assert_same(lake)


SECRET = "4915112345678"


def files_with(folder: Path, text: str) -> list[str]:
    """The files of the lake in which a text stands, decompressed."""
    found = []
    for file in folder.rglob("*"):
        if file.suffix == ".parquet":
            is_there = text in str(parquet.read_table(file).to_pylist())
        else:
            is_there = file.is_file() and text.encode() in file.read_bytes()
        found += [file.name] if is_there else []
    return found


def test_personal_data_are_in_the_lake_only_if_a_setting_says_so(
    lake: World, tmp_path: Path, environment: Callable[..., object]
) -> None:
    tick(lake)
    assert files_with(tmp_path, SECRET) == []
    environment(LAKE_PERSONAL_DATA="true")
    tick(lake)
    assert files_with(tmp_path, SECRET) != []
    environment(LAKE_PERSONAL_DATA="false")
    tick(lake)
    assert files_with(tmp_path, SECRET) == []
    assert_same(lake)


def test_what_is_forgotten_is_in_no_file(lake: World, tmp_path: Path, environment: Callable[..., object]) -> None:
    environment(LAKE_PERSONAL_DATA="true")
    tick(lake)
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    tick(lake)
    assert files_with(tmp_path, SECRET) != []
    lake.execute("delete from app.conversations where session_id is not null")
    lake.execute(f"delete from app.{lake.tables['A']}")
    uri = os.environ["LAKE_URI"]
    environment(LAKE_URI="", LAKE_CRON="")
    refused = CliRunner().invoke(main, ["forget", "--crew", "A"])
    assert refused.exit_code == 1
    assert "go into a lake, whose files would keep what is forgotten; nothing was deleted: set LAKE_URI" in (
        " ".join(refused.output.split())
    )
    assert lake.execute("select from analytics.histories_sessions")
    environment(LAKE_URI=uri)
    done = CliRunner().invoke(main, ["forget", "--crew", "A"])
    assert done.exit_code == 0, done.output
    assert files_with(tmp_path, SECRET) == []
    assert len(in_lake(SUMMARIES)) == 2


def test_no_bounds_of_values_outlive_them(lake: World, environment: Callable[..., object]) -> None:
    environment(LAKE_PERSONAL_DATA="true")
    tick(lake)
    table = read.lake("histories_sessions")
    [manifest, *_] = table.current_snapshot().manifests(table.io)
    for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
        assert not any(SECRET.encode() in value for value in (entry.data_file.lower_bounds or {}).values())


@pytest.mark.representatives(1)
@pytest.mark.parametrize("day", ["0044-03-15 BC", "12026-01-01"])
def test_days_that_no_reader_knows_stop_nothing(lake: World, day: str) -> None:
    tick(lake)
    lake.execute(f"update analytics.conversation_days set activity_date = '{day}' where is_started")
    assert refresh.tick(lake.warehouse, next(t for t in LAKE_TABLES if t.name == "conversation_days")).rows


@pytest.mark.wide
def test_a_column_of_another_type_or_of_the_same_name_again_is_written_again(lake: World) -> None:
    tick(lake)
    for default in ("calm", "loud"):
        lake.execute("alter table analytics.conversation_summaries drop column if exists mood")
        lake.execute(f"alter table analytics.conversation_summaries add column mood text default '{default}'")
        refresh.tick(lake.warehouse, SUMMARIES)
        assert_same(lake)
    lake.execute("""alter table analytics.conversation_summaries add column tags jsonb default '{"a": 1}'""")
    refresh.tick(lake.warehouse, SUMMARIES)
    assert {row["tags"] for row in read.lake("conversation_summaries").scan().to_arrow().to_pylist()} == {'{"a": 1}'}


@pytest.mark.wide
def test_a_copy_of_the_catalog_does_not_touch_the_files(lake: World, environment: Callable[..., object]) -> None:
    tick(lake)
    environment(LAKE_URI="file:///tmp/another/lake")
    store.catalog.cache_clear()
    for write in (lambda: refresh.tick(lake.warehouse, SUMMARIES), lambda: upkeep.purge(SUMMARIES.name)):
        with pytest.raises(store.CatalogError, match="If this catalog is a copy"):
            write()


def test_a_copy_of_the_database_does_not_touch_the_files_even_by_the_same_address(
    lake: World, server: Server, environment: Callable[..., object]
) -> None:
    tick(lake)
    store.catalog().close()
    lake.close()
    copy = Warehouse(server.create(template=str(make_url(lake.url).database)))
    environment(CONVO_DATABASE_URL=copy.url)
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()
    for write in (lambda: refresh.tick(copy, SUMMARIES), lambda: upkeep.purge(SUMMARIES.name)):
        with pytest.raises(store.CatalogError, match="If this one is a copy"):
            write()
    original = read.lake(SUMMARIES.name)
    store.drop(SUMMARIES.name)
    refresh.tick(copy, SUMMARIES)
    upkeep.purge(SUMMARIES.name)
    assert len(original.scan().to_arrow()) == 2
    assert original.location() != read.lake(SUMMARIES.name).location()


@pytest.mark.wide
def test_a_catalog_whose_files_are_gone_names_the_command(lake: World) -> None:
    tick(lake)
    shutil.rmtree(read.lake(SUMMARIES.name).location().removeprefix("file://"))
    with pytest.raises(store.CatalogError, match="lake write --anew"):
        refresh.tick(lake.warehouse, SUMMARIES)
    assert CliRunner().invoke(main, ["lake", "write", "--anew"]).exit_code == 0
    assert_same(lake)


def test_two_cells_have_a_new_column_each(
    new_world: Callable[..., World], tmp_path: Path, environment: Callable[..., object]
) -> None:
    worlds = {cell: new_world(company) for cell in ("a", "b")}
    catalog = worlds["a"].url

    def each(write: str | None = None) -> None:
        for cell, world in worlds.items():
            environment(
                CONVO_CELL=cell, CONVO_DATABASE_URL=world.url, LAKE_URI=f"file://{tmp_path}", LAKE_CATALOG_URL=catalog
            )
            store.catalog.cache_clear()
            if write:
                world.execute(write)
            else:
                tick(world)

    each()
    each("alter table analytics.conversation_summaries add column mood text default 'calm'")
    each()
    for cell, world in worlds.items():
        assert_same(world, cell)
    store.catalog.cache_clear()


def test_upkeep_keeps_what_readers_and_writers_may_need(
    lake: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(lake)
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    tick(lake)
    left = Path(read.lake("conversation_summaries").location().removeprefix("file://")) / "data" / "left.parquet"
    left.write_bytes(b"left by a tick that died")
    files = {file for file in tmp_path.rglob("*") if file.is_file()}
    assert upkeep.clean("conversation_summaries") == upkeep.Kept(0, 0)
    assert {file for file in tmp_path.rglob("*") if file.is_file()} == files
    monkeypatch.setattr(upkeep, "KEPT", timedelta(0))
    assert upkeep.clean("conversation_summaries").snapshots > 0
    assert not left.exists()
    assert_same(lake)


@pytest.mark.wide
def test_many_snapshots_are_thinned_out_but_who_reads_one_goes_on(lake: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MANY", 4)
    monkeypatch.setattr(upkeep, "SOON", timedelta(0))
    tick(lake)
    begun = read.lake(SUMMARIES.name).scan()
    rows = len(begun.to_arrow())
    for day in range(5):
        lake.message(lake.conversation(), when=at(day))
        lake.tick()
        lake.sync()
        tick(lake)
    assert len(read.lake(SUMMARIES.name).metadata.snapshots) <= 4
    assert len(begun.to_arrow()) == rows
    assert_same(lake)


def test_a_tick_that_has_lost_its_turn_commits_nothing(lake: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tick(lake)
    lake.execute("update analytics.conversation_summaries set message_count = message_count + 1")
    prepare = refresh._prepare

    def lose_the_lock(*arguments: Any) -> Any:
        change = prepare(*arguments)
        lake.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1")
        return change

    with monkeypatch.context() as patch:
        patch.setattr(refresh, "_prepare", lose_the_lock)
        with pytest.raises(psycopg.errors.AdminShutdown):
            refresh.tick(lake.warehouse, SUMMARIES)
    upkeep.purge(SUMMARIES.name)
    tick(lake)
    assert_same(lake)


def test_a_tick_waits_for_its_turn_for_longer_than_for_any_other_lock(
    lake: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOCK_SECONDS", 0.2)
    with ThreadPoolExecutor(1) as pool:
        with store.turn(SUMMARIES.name):
            waiting = pool.submit(refresh.tick, lake.warehouse, SUMMARIES)
            while not lake.execute("select from pg_locks where locktype = 'advisory' and not granted"):
                assert not waiting.done(), waiting.result()
            time.sleep(1)
        assert waiting.result().rows


@pytest.mark.wide
def test_a_tag_keeps_what_it_names_until_something_has_to_be_forgotten(
    lake: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(lake)
    table = read.lake(SUMMARIES.name)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    table.manage_snapshots().create_tag(snapshot.snapshot_id, "q1").commit()
    lake.message(lake.conversation(), when=at(5))
    lake.tick()
    tick(lake)
    monkeypatch.setattr(upkeep, "KEPT", timedelta(0))
    upkeep.clean(SUMMARIES.name)
    assert len(read.lake(SUMMARIES.name).scan(snapshot_id=snapshot.snapshot_id).to_arrow()) == 2
    with pytest.raises(store.CatalogError, match="q1"):
        upkeep.purge(SUMMARIES.name)
    assert_same(lake)


@pytest.mark.wide
def test_a_column_that_is_narrower_than_in_the_lake_is_written(lake: World) -> None:
    lake.execute("alter table analytics.conversation_summaries add column score bigint default 1")
    tick(lake)
    lake.execute("alter table analytics.conversation_summaries alter column score type int")
    tick(lake)
    assert_same(lake)
    lake.execute("alter table analytics.conversation_summaries alter column score type text")
    with pytest.raises(store.CatalogError, match="lake write --anew"):
        refresh.tick(lake.warehouse, SUMMARIES)


@pytest.mark.wide
def test_a_cell_that_has_another_name_now_is_removed(lake: World, environment: Callable[..., object]) -> None:
    tick(lake)
    environment(CONVO_CELL="eu1")
    tick(lake)
    done = CliRunner().invoke(main, ["lake", "write", "--remove-cell", "default"])
    assert done.exit_code == 0, done.output
    assert {row["cell"] for row in read.lake(SUMMARIES.name).scan().to_arrow().to_pylist()} == {"eu1"}
    assert "convo_pipelines.watermark.default" not in read.lake(SUMMARIES.name).properties
    assert_same(lake, "eu1")


@pytest.mark.wide
def test_a_database_that_was_upgraded_takes_its_tables_over(lake: World) -> None:
    tick(lake)
    for table in LAKE_TABLES:
        with read.lake(table.name).transaction() as change:
            change.set_properties({"convo_pipelines.catalog": "the cluster before pg_upgrade"})
    with pytest.raises(store.CatalogError, match="--take-over"):
        refresh.tick(lake.warehouse, SUMMARIES)
    done = CliRunner().invoke(main, ["lake", "write", "--take-over"])
    assert done.exit_code == 0, done.output
    assert_same(lake)


def test_the_command_writes_repairs_and_cleans(lake: World) -> None:
    done = CliRunner().invoke(main, ["lake", "write", "--repair", "--clean"])
    assert done.exit_code == 0, done.output
    assert all(table.name[:12] in done.output for table in LAKE_TABLES)
    assert_same(lake)
