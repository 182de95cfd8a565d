"""The lake in an object store that keeps its objects on disk, and goes away for a while."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.processes import NODE, free_port, npm_installed, wait_until
from convo_pipelines_tests.world import World, at

SOURCES = Path(__file__).parent / "s3"
BUCKET, SECRET = "lake", "S3RVER"
TICK = "from convo_pipelines.cli import main; main(['lake', 'write'])"
COMPARE = """
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests import lakes
from convo_pipelines_tests.world import World
lakes.assert_same(World(Warehouse()))
"""
ASK = f"""
from convo_pipelines.cli import main
main(["lake", "query", "reply_funnel", "--output", "s3://{BUCKET}/answers/funnel.parquet"])
"""


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def object_store(folder: Path, port: str) -> Iterator[None]:
    command = [NODE, npm_installed(SOURCES) / "node_modules" / ".bin" / "s3rver", "--directory", str(folder)]
    command += [
        "--address",
        "127.0.0.1",
        "--port",
        port,
        "--configure-bucket",
        BUCKET,
        "--no-vhost-buckets",
        "--silent",
    ]
    store = subprocess.Popen(command)
    try:
        wait_until(lambda: is_open(int(port)))
        yield
    finally:
        store.kill()
        store.wait()


@pytest.mark.long(30)
@pytest.mark.wide
def test_a_lake_in_an_object_store_that_was_away_is_exact(new_world: Callable[..., World], tmp_path: Path) -> None:
    world, port = new_world(company), free_port()
    variables = os.environ | {
        "CONVO_DATABASE_URL": world.url,
        "LAKE_URI": f"s3://{BUCKET}/convo",
        "PYICEBERG_CATALOG__LAKE__S3__ENDPOINT": f"http://127.0.0.1:{port}",
        "PYICEBERG_CATALOG__LAKE__S3__ACCESS_KEY_ID": SECRET,
        "PYICEBERG_CATALOG__LAKE__S3__SECRET_ACCESS_KEY": SECRET,
        "PYICEBERG_CATALOG__LAKE__S3__REGION": "us-east-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # this store knows no others
    }

    def run(program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True)

    with object_store(tmp_path, port):
        done = run(TICK)
        assert done.returncode == 0, done.stderr
    world.message(world.conversation(), when=at(5))
    world.tick()
    world.sync()
    away = run(TICK)
    assert away.returncode == 1
    assert "Traceback" not in away.stderr
    with object_store(tmp_path, port):
        for program in (TICK, COMPARE, ASK):
            done = run(program)
            assert done.returncode == 0, done.stderr
