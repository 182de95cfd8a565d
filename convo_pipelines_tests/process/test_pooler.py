"""Through PgBouncer, in either mode: connections that are lent for a session, or for a transaction."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database.warehouse import Warehouse, fetch
from convo_pipelines.operations import health
from convo_pipelines.serving import read
from convo_pipelines_tests import oracle
from convo_pipelines_tests.servers import require
from convo_pipelines_tests.world import World, at

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
INSERT = """
insert into app.histories_a (session_id, message) values (gen_random_uuid()::text, '{"type": "human"}')
"""
CONFIG = """
[databases]
* = host={host} {port} user={user}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
pool_mode = {mode}
default_pool_size = 4
"""


@pytest.fixture(params=["session", "transaction"])
def pooled(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """A world whose pipeline reaches the database through PgBouncer; the application does not."""
    require(PGBOUNCER, "pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer", dir="/tmp"))
    url = make_url(world.url)
    host, port = url.query.get("host") or url.host, url.port
    config = CONFIG.format(
        host=host, port=f"port={port}" if port else "", user=url.username, folder=folder, mode=request.param
    )
    (folder / "pgbouncer.ini").write_text(config)
    shutil.chown(folder, "postgres")
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*run_as, PGBOUNCER, str(folder / "pgbouncer.ini")], stdout=log, stderr=log)
    address = f"postgresql://{url.username}@/{url.database}?host={folder}&port=6432"
    deadline = time.monotonic() + 10
    while not (folder / ".s.PGSQL.6432").exists():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    world.warehouse.close()
    world.warehouse = Warehouse(address)
    yield world
    world.warehouse.close()
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


@pytest.mark.parametrize("server", ["debian"], indirect=True)
def test_everything_works_through_a_pooler(pooled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pooled.crew()
    pooled.say("s1", "human", at(0, 9))
    talk = pooled.conversation()
    pooled.address(talk, pooled.contact("ana@example.com", pooled.person()))

    def write() -> None:
        with psycopg.connect(pooled.url, autocommit=True) as connection:
            for _ in range(200):
                connection.execute(INSERT)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        pooled.tick()
        pooled.sync()
    writer.join()
    pooled.tick()
    pooled.sync()
    oracle.assert_right(pooled)
    oracle.assert_links_right(pooled)
    pooled.backfill(at(0).date(), at(1).date())
    assert pooled.reconcile().drift.changed == 0
    assert health.look(pooled.warehouse) == []
    assert [name for name, check in pooled.checks().items() if not check.passed] == []
    with pooled.warehouse.connection() as connection:
        assert fetch(connection, "cli/status/tables")
    monkeypatch.setattr(read, "database_url", lambda: pooled.warehouse.url)
    assert len(read.summaries()) == 202
