import os

os.environ["ARCHIVE_AFTER_DAYS"] = "36500"  # the tests' days are of long ago: only tests of the archive want one

import shutil
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import make_url

from convo_pipelines.database import addresses, migrations, warehouse
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.settings import Settings, settings
from convo_pipelines_tests.servers import RUNNING, DebianServer, debian_server, embedded_server, require
from convo_pipelines_tests.world import World

os.environ.pop("COLUMNS", None)  # what commands print is as wide here as in a file, not as the terminal
hypothesis_settings.register_profile(
    "real-database", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
hypothesis_settings.load_profile("real-database")

DATABASE_NUMBERS = count()
ROOT = Path(__file__).parent.parent
ARTIFACTS = ROOT / "artifacts"
CHROMIUM = Path("/usr/bin/chromium")


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
        RUNNING[self.url].crash()
        RUNNING[self.url].start()

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


@pytest.fixture
def debian() -> Iterator[DebianServer]:
    """A server of the distribution that a test starts, crashes and configures as it likes."""
    server = DebianServer()
    yield server
    server.remove()


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
    require(CHROMIUM.exists(), "chromium")
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
    for module in (addresses, migrations, warehouse):
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


class Mailbox(Message):
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=pipeline@example.com&to=team@example.com&mode=insecure"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture
def stored_instance(server: Server, tmp_path: Path, environment: object) -> Iterator[dg.DagsterInstance]:
    """An instance by the real dagster.yaml, whose storage is a database of its own."""
    environment(DAGSTER_PG_URL=server.create())
    addresses.dagster_url.cache_clear()
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as stored:
        yield stored
    addresses.dagster_url.cache_clear()


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
