"""Killed workers, daemons, code servers and databases: what they leave behind stops nothing."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from psycopg.rows import dict_row

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.definitions import defs
from convo_pipelines.engine import change_log
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines.orchestration.cells import PROCESS_TAG, process_tags
from convo_pipelines.orchestration.storage import Launcher
from convo_pipelines_tests import adopted, oracle
from convo_pipelines_tests.conftest import Server
from convo_pipelines_tests.processes import Units, wait_until
from convo_pipelines_tests.servers import DebianServer, pooler
from convo_pipelines_tests.world import World

SECONDS_AWAY = 20
STARTED = dg.DagsterRunStatus.STARTED
SLOW = """
create or replace view app.histories_slow as
select 1::bigint as id, 's1'::text as session_id, '{"type": "human"}'::jsonb as message, now() as created_at
from pg_sleep(%s)
"""


@pytest.mark.long(250)
@pytest.mark.wide
def test_a_machine_that_dies_in_a_tick_and_a_database_that_was_away(debian: DebianServer, tmp_path: Path) -> None:
    debian.start()
    server = Server(debian.url)
    world, storage = World(Warehouse(server.create(template="template_app"))), server.create()
    world.crew("A", table="histories_slow", create=False)
    world.connection.execute(psycopg.sql.SQL(SLOW.replace("%s", "25")))
    every_minute = {"CONVERSATION_DISCOVERY_CRON": "* * * * *", "LINK_SYNC_CRON": "0 0 1 1 *"}
    units = Units(tmp_path, world.url, storage, **every_minute)

    def runs(status: str) -> list[str]:
        with psycopg.connect(storage) as connection:
            return [row[0] for row in connection.execute("select run_id from runs where status = %s", [status])]

    def is_at_work() -> bool:
        return bool(runs("STARTED")) and bool(
            world.execute("select from pg_stat_activity where query like '%%histories_slow%%' and state = 'active' "
                          "and pid <> pg_backend_pid() and datname = current_database()")
        )  # fmt: skip

    with units:
        wait_until(is_at_work, 240, units)
        units.kill()
    [orphan] = runs("STARTED")
    world.connection.execute(psycopg.sql.SQL(SLOW.replace("%s", "0")))
    with units:
        wait_until(lambda: world.execute("select from analytics.conversation_summaries"), 240, units)
        wait_until(lambda: orphan in runs("FAILURE"), 240, units)
        wait_until(lambda: runs("SUCCESS"), 240, units)

        world.close()
        debian.crash()
        time.sleep(SECONDS_AWAY)
        debian.start()
        world = World(Warehouse(world.url))
        world.message(world.conversation())
        wait_until(lambda: len(world.execute("select from analytics.conversation_summaries")) == 2, 240, units)
        assert {process.poll() for process in units.processes.values()} == {None}
    world.close()


def patiently(url: str) -> psycopg.Connection[object]:
    """A connection to a server that is recovering from a crash."""
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("crash", "pool_mode"),
    [
        ("the server", "transaction"),
        ("one backend", None),
        pytest.param("the server", None, marks=pytest.mark.wide),
        pytest.param("one backend", "transaction", marks=pytest.mark.wide),
    ],
)
def test_a_look_from_before_a_crash_becomes_no_watermark(
    debian: DebianServer, crash: str, pool_mode: str | None
) -> None:
    """The server gives the transaction ids of commits that are lost to others."""
    settings = {"wal_writer_delay": "10s", "synchronous_commit": "off", "autovacuum": "off"}
    debian.start(**settings)
    url = Server(debian.url).create(template="template_app")
    with pooler(url, pool_mode) if pool_mode else nullcontext(url) as address:
        world = World(Warehouse(url))
        world.crew()
        world.tick()
        before = [psycopg.connect(address, autocommit=True, row_factory=dict_row, prepare_threshold=None)]
        for number in range(40):
            world.say(f"before {number}")
        at = change_log.look(before[0], HISTORIES_SESSIONS)
        if crash == "the server":
            debian.crash()
            debian.start(**settings)
        else:
            with suppress(psycopg.OperationalError), psycopg.connect(url) as another:
                os.kill(world.connection.info.backend_pid, signal.SIGKILL)
                another.execute("select pg_sleep(60)")  # until the server has noticed
        world.close()
        patiently(url).close()
        world = World(Warehouse(url), world.tables)
        assert len(world.execute("select from app.histories_a")) < 40
        for number in range(40):
            world.say(f"after {number}")
        if not pool_mode:
            before.append(psycopg.connect(url, autocommit=True, row_factory=dict_row))
        change_log.finish(before[-1], at)
        world.tick()
        oracle.assert_right(world)
        assert world.reconcile().drift.changed == 0
        for connection in before:
            connection.close()
        world.close()


UNLOGGED = ("histories_a", "message_recipients", "messages", "conversations", "contact_methods", "projects", "people")
"""Those that refer to others come first."""


def test_unlogged_tables_that_a_crash_empties_are_read_again(debian: DebianServer) -> None:
    debian.start()
    server = Server(debian.url)
    worlds: list[World] = []
    for schema in ("app", "owner"):
        world = World(Warehouse(server.create(template="template_app")))
        world.crew()
        world.drop_foreign_keys()
        if schema == "owner":
            adopted.move_to_owner(world)
        for table in UNLOGGED:
            world.execute(f"alter table {schema}.{table} set unlogged")
        world.say("ana@example.com")
        ana = world.person(email="ana@example.com")
        talk = world.conversation()
        world.address(talk, world.contact("ana@example.com"))
        world.assign(talk, world.project())
        adopted.refresh(world)
        assert world.linked() >= {(ana, talk)}
        world.execute("checkpoint")
        world.close()
        worlds.append(world)
    debian.crash()
    debian.start()
    for former in worlds:
        world = World(Warehouse(former.url), former.tables)
        assert not world.execute("select from app.messages")
        adopted.refresh(world)
        adopted.assert_right(world)
        world.close()


def test_a_runs_worker_is_looked_for_where_it_was_started() -> None:
    with dg.instance_for_test() as instance, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": free.getsockname()[1]})}
        with subprocess.Popen(["true"]) as done:
            gone = {PROCESS_TAG: f"{socket.gethostname()}:{done.pid}"}
        launcher = Launcher.from_config_value(None, {})
        launcher.register_instance(instance)

        def status(tags: dict[str, str]) -> WorkerStatus:
            run = instance.create_run_for_job(defs.resolve_job_def("health"), tags=tags, status=STARTED)
            return launcher.check_run_worker_health(run).status

        assert status(process_tags()) is WorkerStatus.RUNNING
        assert status(gone) is WorkerStatus.FAILED
        assert status({}) is WorkerStatus.RUNNING
        assert status({PROCESS_TAG: "another-host:1"}) is WorkerStatus.RUNNING
        assert status(nobody) is WorkerStatus.FAILED
        assert status(nobody | process_tags()) is WorkerStatus.FAILED
