"""Dumps, standbys and subscriptions: the pipeline on servers that copy one another."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, change_log
from convo_pipelines.engine.change_log import ChangesError
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines_tests.conftest import ROOT, Server, debian_only, debian_server
from convo_pipelines_tests.database.test_changes import NOW, assert_right, state, tick
from convo_pipelines_tests.world import DAY, World


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0)


@contextmanager
def restored(world: World) -> Iterator[World]:
    """The same database, dumped, and restored into a younger cluster."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1].parent
    with tempfile.NamedTemporaryFile() as dump, debian_server() as url:
        with Path(dump.name).open("wb") as file:
            subprocess.run([binaries / "pg_dump", "-d", world.url], stdout=file, check=True)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create database restored")
        target = make_url(url).set(database="restored").render_as_string(hide_password=False)
        subprocess.run([binaries / "psql", "-q", "-d", target, "-f", dump.name], check=True, capture_output=True)
        other = World(Warehouse(target))
        other.tables = world.tables
        yield other
        other.close()


@debian_only
def test_a_dump_of_app_alone_is_restored_as_the_guide_says(world: World, server: Server, tmp_path: Path) -> None:
    world.crew()
    world.say("s1", when=NOW)
    tick(world)
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1].parent
    url = server.create()
    guide = (ROOT / "docs" / "how-to" / "installing.md").read_text()
    [recipe] = re.findall(r"```sh\n(pg_dump.*?)```", guide, re.DOTALL)
    search = f"PATH={binaries}:{Path(sys.executable).parent}:$PATH\n"
    addresses = {"OLD": world.url, "CONVO_DATABASE_URL": url}
    subprocess.run(["bash", "-ec", search + recipe], env=os.environ | addresses, cwd=tmp_path, check=True)
    other = World(Warehouse(url), world.tables)
    assert_right(other)
    other.say("s2", when=NOW)
    tick(other)
    assert_right(other)
    assert len(other.execute("select from analytics.conversation_summaries")) == 2
    other.close()


@debian_only
def test_a_dump_restored_into_a_younger_cluster(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.execute("create table app.filler (id int)")
    for number in range(1_500):  # so that the transactions of this cluster are numbered higher
        world.execute("insert into app.filler values (%s)", number)
    world.crew()
    for day in (-300, -200):
        for _ in range(2):
            world.say("s1", when=DAY + timedelta(days=day))
    tick(world)
    world.execute("delete from app.histories_a where id = 1")  # nobody has read this yet
    world.say("s2", when=NOW)
    with restored(world) as other:
        [before] = other.execute(
            "select min(pg_snapshot_xmin(snapshot)::text::bigint) as xmin from analytics.refresh_state"
        )
        [now] = other.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax")
        assert before["xmin"] > now["xmax"]
        tick(other)
        counts = sorted(row["message_count"] for row in other.execute("select * from analytics.histories_sessions"))
        assert counts == [1, 2, 2]
        other.say("s3", when=NOW)
        tick(other)
        assert len(other.execute("select from analytics.conversation_summaries")) == 3
        assert not other.has_news()
        assert other.reconcile().repairs.changed == 0


@debian_only
def test_a_standby_is_refused(world: World, server: Server) -> None:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))[-1].parent
    run_as = ["runuser", "-u", "postgres", "--"]
    tick(world)
    folder = Path(tempfile.mkdtemp(prefix="standby", dir="/tmp"))
    subprocess.run(["chown", "postgres", folder], check=True)
    data = folder / "data"
    host = make_url(server.url).query["host"]
    subprocess.run(
        [*run_as, binaries / "pg_basebackup", "-h", host, "-U", "postgres", "-D", data, "-R", "-c", "fast"],
        check=True,
    )
    control = [*run_as, binaries / "pg_ctl", "-D", data, "-w"]
    options = f"-c listen_addresses='' -c max_prepared_transactions=5 -k {folder}"
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True)
    try:
        standby = Warehouse(
            make_url(world.url).update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
        )
        with standby.connection() as connection, pytest.raises(ChangesError, match="standby"):
            change_log.look(connection, HISTORIES_SESSIONS)
        standby.close()
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True)
        subprocess.run(["rm", "-rf", folder], check=True)


@debian_only
def test_a_table_that_a_subscription_feeds_is_captured_row_by_row(world: World, server: Server) -> None:
    publisher = World(Warehouse(server.create(template="template_app")))
    for one in (publisher, world):
        one.crew()
    publisher.execute(
        "alter table app.histories_a replica identity full; create publication chats for table app.histories_a"
    )
    publisher.execute("select pg_create_logical_replication_slot('chats', 'pgoutput')")
    host, name = make_url(publisher.url).query["host"], make_url(publisher.url).database
    world.execute(
        f"create subscription chats connection 'host={host} dbname={name} user=postgres' publication chats "
        "with (create_slot = false, slot_name = 'chats', copy_data = false)"
    )

    def arrives() -> None:
        publisher.execute("select pg_sleep(0.1)")
        for _ in range(200):
            [source], [copy] = (
                one.execute(
                    "select coalesce(string_agg(concat(id, session_id), ',' order by id), '') as rows "
                    "from app.histories_a"
                )
                for one in (publisher, world)
            )
            if source == copy:
                return
            publisher.execute("select pg_sleep(0.05)")
        pytest.fail("the subscription does not apply")

    try:
        tick(world)
        assert [
            row["tgname"]
            for row in world.execute("select * from pg_trigger where tgrelid = 'app.histories_a'::regclass order by 1")
        ]
        assert state(world, "histories_a")["mode"] == "captured"
        for change in (
            "insert into app.histories_a (session_id, message) values ('a', '{}'), ('b', '{}')",
            "update app.histories_a set session_id = 'c' where session_id = 'a'",
            "delete from app.histories_a where session_id = 'b'",
            "truncate app.histories_a",
        ):
            publisher.execute(change)
            arrives()
            assert world.has_news()
            tick(world)
            assert_right(world)
        world.say("here")
        tick(world)
        assert_right(world)
    finally:
        world.execute("alter subscription chats disable")
        world.execute("alter subscription chats set (slot_name = none)")
        world.execute("drop subscription chats")
        for _ in range(100):
            if not publisher.execute("select from pg_replication_slots where active"):
                break
            publisher.execute("select pg_sleep(0.05)")
        publisher.execute("select pg_drop_replication_slot('chats')")
        publisher.close()
