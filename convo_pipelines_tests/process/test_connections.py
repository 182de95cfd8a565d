"""Connections that are encrypted, disks that are full."""

import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import trustme

from convo_pipelines.database import addresses
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import health
from convo_pipelines.serving import read
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.processes import free_port
from convo_pipelines_tests.servers import DebianServer
from convo_pipelines_tests.world import World, at


def write(world: World, session: str) -> None:
    world.say(session, "human", at())
    world.address(world.conversation(started_at=at()), world.contact(f"{session}@example.com", world.person()))


def tick(world: World) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(world.warehouse, table, logging.getLogger())


def test_parameters_of_encryption_are_kept(
    debian: DebianServer, tmp_path: Path, environment: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    folder, trusted = debian.folder, tmp_path / "authority.pem"
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(trusted)
    (folder / "key.pem").chmod(0o600)
    for name in ("key.pem", "cert.pem"):
        shutil.chown(folder / name, "postgres")
    (debian.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\nhostssl all all ::1/128 trust\n")
    port = free_port()
    files = {"ssl_cert_file": str(folder / "cert.pem"), "ssl_key_file": str(folder / "key.pem")}
    debian.start(listen_addresses="localhost", port=port, ssl="on", **files)
    address = f"postgresql://postgres@localhost:{port}/postgres"
    url = f"{address}?sslmode=verify-full&sslrootcert={trusted}"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"{address}?sslmode=disable")

    monkeypatch.delenv("DAGSTER_PG_URL", raising=False)
    environment(CONVO_DATABASE_URL=url)
    for cached in (addresses.database_url, addresses.dagster_url):
        cached.cache_clear()
    upgrade.up()
    world = World(Warehouse(url))
    world.crew()
    write(world, "s1")
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        world.materialize(instance=instance)
        [run] = instance.get_runs()
        assert run.is_success
    world.sync()
    assert len(read.summaries()) == 2
    assert health.look(world.warehouse) == []
    oracle.assert_right(world)
    world.close()
    for cached in (addresses.database_url, addresses.dagster_url):
        cached.cache_clear()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, large enough for an empty server."""
    folder = Path("/tmp") / f"disk{os.getpid()}"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"only root mounts a file system: {mounted.stderr.decode()}")
    shutil.chown(folder, "postgres")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(small_disk: Path) -> None:
    server = DebianServer(small_disk / "data")
    server.start()
    world = World(Warehouse(Server(server.url).create(template="template_app")))
    world.crew()
    write(world, "s1")
    tick(world)
    for number in range(2_000):
        world.say(f"{number:0500}", "human", at())
    write(world, "s2")
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        file.write(b"x" * shutil.disk_usage(small_disk).free)
    with pytest.raises(psycopg.errors.DiskFull, match="No space left on device"):
        tick(world)
    ballast.unlink()
    tick(world)
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    world.close()
    server.remove()
