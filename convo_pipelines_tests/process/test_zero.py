"""The schema for @rocicorp/zero follows the catalog, type-checks, and serves: a real zero-cache, and clients of it."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.serving import zero_schema
from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.processes import NODE, following, free_port, npm_installed, wait_for
from convo_pipelines_tests.servers import DebianServer
from convo_pipelines_tests.world import World

SOURCES = Path(__file__).parent / "zero"
GUIDE = ROOT / "docs" / "how-to" / "zero.md"
PUBLICATION, ROLE, GRANTS = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
LEADS_AND_CUSTOMERS = "create table app.leads (id uuid primary key); create table app.customers (id uuid primary key)"
SYNCS_ANEW = 14
"""How zero-cache ends when it wants to be started again, to copy everything."""
LISTENED_TO = (
    "CREATE TABLE",
    "ALTER TABLE",
    "CREATE INDEX",
    "DROP TABLE",
    "DROP INDEX",
    "ALTER PUBLICATION",
    "ALTER SCHEMA",
)


def generated(world: World, publication: str | None = None) -> str:
    with world.warehouse.connection() as connection:
        return zero_schema.generate(connection, publication)


def declared(schema: str) -> dict[str, set[str]]:
    """The columns of each table."""
    tables = re.findall(r"^const (\w+) = table\((.*?)^  \}\)", schema, re.DOTALL | re.MULTILINE)
    return {name: set(re.findall(r"^    (\w+): \w+[(<]", columns, re.MULTILINE)) for name, columns in tables}


@pytest.fixture(scope="session")
def node_project() -> Path:
    return npm_installed(SOURCES)


@pytest.mark.long(40)
def test_the_schema_and_what_uses_it_type_check_and_the_queries_can_be_made(world: World, node_project: Path) -> None:
    world.crew("A")
    world.execute(LEADS_AND_CUSTOMERS)
    world.execute("create type app.mood as enum ('good', 'bad')")
    world.execute(
        'create table app."odd-names" ("a key" int primary key, shapes point, tags text[] not null, moods app.mood[], '
        "mood app.mood, at time, address inet, twice int generated always as (1) stored)"
    )
    (node_project / "schema.ts").write_text(generated(world))
    for command in (["node_modules/typescript/bin/tsc", "-p", "."], ["types.ts"]):
        done = subprocess.run([NODE, *command], cwd=node_project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_catalog_gives_the_same_schema_and_another_gives_another(world: World) -> None:
    before = generated(world)
    assert generated(world) == before
    world.execute(
        "alter table app.people add column title text; create table app.notes (id uuid, conversation_id uuid)"
    )
    assert "title: string().optional()," in generated(world)
    assert "notes" not in generated(world)
    world.execute(
        "alter table app.notes add primary key (id), add foreign key (conversation_id) references app.conversations"
    )
    after = generated(world)
    assert "const notes = table('notes')\n  .from('app.notes')" in after
    assert "  notes: many(\n    {sourceField: ['id'], destField: ['conversation_id'], destSchema: notes},\n" in after
    assert "conversation: one(\n    {sourceField: ['conversation_id'], destField: ['id']" in after


def test_links_are_one_hop_in_both_directions(world: World) -> None:
    text = generated(world)
    for link, near, far, table in (
        ("people_conversations", "person_id", "conversation_id", "conversations"),
        ("people_conversations", "conversation_id", "person_id", "people"),
        ("clients_conversations", "client_id", "conversation_id", "conversations"),
        ("clients_conversations", "conversation_id", "client_id", "clients"),
        ("project_conversations", "project_id", "conversation_id", "conversations"),
    ):
        assert (
            f"  {table}: many(\n    {{sourceField: ['id'], destField: ['{near}'], destSchema: {link}}},\n"
            f"    {{sourceField: ['{far}'], destField: ['id'], destSchema: {table}}},\n"
        ) in text
    world.drop_foreign_keys()
    assert generated(world) == text


def test_leads_and_customers_are_related_where_the_application_says_whose_they_are(world: World) -> None:
    assert "lead: one(" not in generated(world)
    world.execute(
        "alter table app.conversations add foreign key (lead_id) references app.people, "
        "add foreign key (customer_id) references app.people"
    )
    text = generated(world)
    for one in ("lead", "customer"):
        hop = f"sourceField: ['{one}_id'], destField: ['id'], destSchema: people"
        assert f"  {one}: one(\n    {{{hop}}},\n" in text
        hop = f"sourceField: ['id'], destField: ['{one}_id'], destSchema: conversations"
        assert f"  conversations_by_{one}_id: many(\n    {{{hop}}},\n" in text
    assert "  conversations: many(\n    {sourceField: ['id'], destField: ['person_id']" in text


def test_leads_and_customers_of_their_own_are_related_with_and_without_a_foreign_key(world: World) -> None:
    world.execute(LEADS_AND_CUSTOMERS)
    without = generated(world)
    for one in ("lead", "customer"):
        hop = f"sourceField: ['{one}_id'], destField: ['id'], destSchema: {one}s"
        assert f"  {one}: one(\n    {{{hop}}},\n" in without
        hop = f"sourceField: ['id'], destField: ['{one}_id'], destSchema: conversations"
        assert f"  conversations: many(\n    {{{hop}}},\n" in without
    world.execute(
        "alter table app.conversations add foreign key (lead_id) references app.leads, "
        "add foreign key (customer_id) references app.customers"
    )
    assert generated(world) == without


def test_what_zero_cannot_replicate_is_not_declared(world: World) -> None:
    before = declared(generated(world))
    world.execute(
        "create table app.events (id int, day date, twice int generated always as (id * 2) stored, place point, "
        "primary key (id, day)) partition by range (day); "
        "create table app.events_2026 partition of app.events for values from ('2026-01-01') to ('2027-01-01'); "
        "create unlogged table app.scratch (id int primary key); create table app.hashes (id bytea primary key)"
    )
    after = declared(generated(world))
    assert after.pop("events") == {"id", "day"}
    assert after == before


def test_a_publication_says_which_tables_and_columns_are_declared(world: World) -> None:
    world.crew("A")
    world.execute(PUBLICATION)
    text = generated(world, "convo_zero")
    published = world.execute("select tablename, attnames from pg_publication_tables where pubname = 'convo_zero'")
    assert declared(text) == {row["tablename"]: set(row["attnames"]) for row in published}
    assert declared(text)["people"] == {"id", "client_id", "name"}
    assert "session_id" not in text
    world.execute("alter publication convo_zero drop table analytics.clients_conversations")
    assert "clients_conversations" not in generated(world, "convo_zero")
    with pytest.raises(zero_schema.PublicationError, match="'nothing'"):
        generated(world, "nothing")


def test_ticks_run_no_statement_that_zeros_event_triggers_answer(world: World) -> None:
    world.crew("A")
    world.tick()
    world.sync()  # captures the tables, which is DDL, once
    world.execute(
        "create function public.refuse() returns event_trigger language plpgsql as "
        "$$begin raise exception 'zero-cache listens to %', tg_tag; end$$"
    )
    world.execute(f"create event trigger zero on ddl_command_start when tag in {LISTENED_TO} execute function refuse()")
    with pytest.raises(psycopg.errors.RaiseException, match="CREATE TABLE"):
        world.execute("create temporary table t (id int)")
    world.say("4915112345678")
    world.address(world.conversation(), world.contact("ana@example.com", world.person(phone="+49 151 12345678")))
    world.tick()
    world.sync()
    assert len(world.table("analytics.people_conversations")) == 2
    world.execute("delete from app.message_recipients; update app.people set phone = null")
    world.sync()
    assert world.table("analytics.people_conversations").empty


class Client:
    """A signed-in user's process, which prints what a query returns whenever that changes."""

    def __init__(self, zero: "Zero", code: str, query: str, subject: UUID, claims: str | None = None):
        self.printed, self.log = zero.folder / f"client-{len(zero.processes)}.jsonl", zero.log
        claimed = zero.clients()[claims or code]
        command = ("client.ts", f"session of {code}", claimed, query, str(subject))
        zero.start(*command, output=self.printed, CACHE_URL=zero.url)

    @property
    def results(self) -> list[Any]:
        return [json.loads(line) for line in self.printed.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def sees(self, expected: Callable[[Any], bool]) -> Any:
        """Wait until what it sees last is as expected."""
        deadline = time.monotonic() + 60
        while not (self.results and expected(self.results[-1])):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        return self.results[-1]

    def sees_ids(self, relationship: str, *ids: UUID) -> None:
        wanted = sorted(map(str, ids))
        self.sees(lambda row: row is not None and sorted(other["id"] for other in row[relationship]) == wanted)


def seconds_until(waiting: Callable[[], object]) -> float:
    started = time.perf_counter()
    waiting()
    return round(time.perf_counter() - started, 2)


class Zero:
    """zero-cache before a world that `convo_pipeline` refreshes, and the server that says what its clients may see."""

    def __init__(self, world: World, upstream: str, folder: Path):
        self.world, self.upstream, self.folder, self.log = world, upstream, folder, folder / "log"
        self.port, self.server_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []

    def clients(self) -> dict[str, str]:
        return {row["client_code"]: str(row["id"]) for row in self.world.execute("select * from app.clients")}

    def write_schema(self) -> None:
        (self.folder / "schema.ts").write_text(generated(self.world, "convo_zero"))

    def start(self, *command: str | Path, output: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log, (output or self.log).open("ab") as out:
            self.processes.append(
                subprocess.Popen(
                    [NODE, *command], cwd=self.folder, env=os.environ | environment, stdout=out, stderr=log
                )
            )
        return self.processes[-1]

    def start_server(self) -> None:
        sessions = json.dumps({f"session of {code}": client for code, client in self.clients().items()})
        self.start("server.ts", PORT=self.server_port, SESSIONS=sessions)

    def start_cache(self) -> None:
        self.cache = self.start(
            "../node_modules/@rocicorp/zero/out/zero/src/cli.js",
            ZERO_UPSTREAM_DB=self.upstream,
            ZERO_APP_PUBLICATIONS="convo_zero",
            ZERO_QUERY_URL=f"http://127.0.0.1:{self.server_port}/query",
            ZERO_MUTATE_URL=f"http://127.0.0.1:{self.server_port}/mutate",
            ZERO_ENABLE_CRUD_MUTATIONS="false",
            ZERO_REPLICA_FILE=str(self.folder / "replica.db"),
            ZERO_PORT=self.port,
            ZERO_CHANGE_STREAMER_PORT=free_port(),
            ZERO_NUM_SYNC_WORKERS="1",
            ZERO_ADMIN_PASSWORD="secret",
            ZERO_LOG_LEVEL="warn",
            DO_NOT_TRACK="1",
        )
        wait_for(f"{self.url}/keepalive", self.cache, self.log)

    def stop(self) -> None:
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                for worker in psutil.Process(process.pid).children(recursive=True):
                    worker.kill()
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def zero(node_project: Path) -> Iterator[Zero]:
    debian, port, folder = DebianServer(), free_port(), node_project / "live"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES, folder)
    with ExitStack() as stack:
        debian.start(listen_addresses="127.0.0.1", port=port)
        stack.callback(debian.remove)
        server = Server(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        url = make_url(server.create("app", template="template_app"))
        upgrade.up(("roles",), url=url.render_as_string())
        world = World(Warehouse(url.render_as_string()))
        world.warehouse = Warehouse(url.set(username="convo_pipeline").render_as_string())
        stack.callback(world.close)
        world.execute(PUBLICATION + ROLE)
        for code in ("C1", "C2"):
            world.client(code)
        zero = Zero(world, url.set(username="zero_cache").render_as_string(), folder)
        stack.callback(zero.stop)
        zero.write_schema()
        zero.start_server()
        zero.start_cache()
        world.execute(GRANTS)
        yield zero


@pytest.mark.long(41)
@pytest.mark.wide
def test_links_come_to_clients_that_may_see_them_and_go(zero: Zero) -> None:
    world = zero.world
    ana, zoe, talk = world.person("C1"), world.person("C2"), world.conversation(client="C1")
    world.sync()
    ours, theirs = Client(zero, "C1", "conversation", talk), Client(zero, "C2", "conversation", talk)
    hers, stranger = Client(zero, "C1", "person", ana), Client(zero, "C2", "person", ana, claims="C1")
    ours.sees_ids("people")
    hers.sees_ids("conversations")
    theirs.sees(lambda row: row is None)
    stranger.sees(lambda row: row is None)

    to_ana = world.address(talk, world.contact("ana@example.com", ana))
    world.address(talk, world.contact("zoe@example.com", zoe))
    world.sync()
    ours.sees_ids("people", ana)
    theirs.sees_ids("people", zoe)
    hers.sees_ids("conversations", talk)
    assert set(ours.results[-1]["people"][0]) == {"id", "client_id", "name"}

    world.execute("delete from app.message_recipients where id = %s", to_ana)
    world.execute("delete from app.people where id = %s", zoe)
    world.sync()
    ours.sees_ids("people")
    hers.sees_ids("conversations")
    theirs.sees(lambda row: row is None)

    seconds = list[float]()
    with following(world.warehouse.url, zero.log):
        for _ in range(2):
            mail = world.address(talk, world.contact("ana@example.org", ana))
            seconds.append(seconds_until(lambda: ours.sees_ids("people", ana)))
            world.execute("delete from app.message_recipients where id = %s", mail)
            seconds.append(seconds_until(lambda: ours.sees_ids("people")))
    print(json.dumps({"seconds until a client sees a link come and go, the first of a starting process": seconds}))
    assert stranger.results == [None]


@pytest.mark.wide
@pytest.mark.long(41)
def test_a_new_column_goes_out_only_where_its_table_is_published_as_a_whole(zero: Zero) -> None:
    world = zero.world
    ana, talk = world.person("C1"), world.conversation(client="C1")
    world.sync()
    hers = Client(zero, "C1", "person", ana)
    hers.sees_ids("conversations")
    world.execute("alter table app.people add column secret text")
    world.execute("update app.people set secret = 'x', name = 'Ana' where id = %s", ana)
    assert set(hers.sees(lambda row: row["name"] == "Ana")) == {"id", "client_id", "name", "conversations"}
    assert zero.cache.poll() is None

    world.execute("alter table app.projects add column mood text")
    project = world.project(talk)
    assert zero.cache.wait(timeout=60) == SYNCS_ANEW
    zero.write_schema()
    assert "mood" in declared((zero.folder / "schema.ts").read_text())["projects"]
    zero.start_cache()
    world.execute("update app.conversations set project_id = %s where id = %s", project, talk)
    Client(zero, "C1", "conversation", talk).sees(lambda row: row is not None and row["project_id"] == str(project))
