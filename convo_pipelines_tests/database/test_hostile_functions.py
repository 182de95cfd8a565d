"""Whoever may create functions has none of them run by the pipeline, nor by a command of the owner's.

The search path of the database finds traps first: a function, an operator and a type of each name and signature of
PostgreSQL's. Each notes that it was used, in a sequence, which no rollback undoes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import addresses
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.lake import store
from convo_pipelines.serving import read
from convo_pipelines.serving.follow import Follower
from convo_pipelines.serving.sessions import SessionKey, complete
from convo_pipelines_tests import oracle
from convo_pipelines_tests.commands import without
from convo_pipelines_tests.conftest import Server, both_servers, both_servers_if_wide, company, debian_only
from convo_pipelines_tests.servers import pooler
from convo_pipelines_tests.world import World, at

TRAPS = Path(__file__).parent.parent / "hostile.sql"
SERVERS = {"serve follow", "serve webhook", "serve metrics"}
"""Commands that serve until they are stopped: what they call is called here."""
PROGRAMS = {"dagster", "data psql", "demo"}
"""Commands that start others, in processes of their own."""


class Hostile:
    """A database in which a role that may create functions in `public` has created as many as it can."""

    def __init__(self, url: str):
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("select from pg_roles where rolname = 'mallory'").rowcount:
                connection.execute("create role mallory")
            connection.execute("grant create on schema public to mallory")
            connection.execute("set role mallory")
            connection.execute("set search_path = ''")
            connection.execute(TRAPS.read_text())
            connection.execute("reset role")
            database = sql.Identifier(make_url(url).database or "")
            connection.execute(sql.SQL("alter database {} set search_path = public, pg_catalog").format(database))
        self.connection = psycopg.connect(url, autocommit=True, options="-csearch_path=pg_catalog")

    def sprung(self) -> str | None:
        """The trap that was used last, if any was."""
        query = "select name from public.traps join public.trap_names on number = last_value where is_called"
        found = self.connection.execute(query).fetchone()
        return found and found[0]

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def hostile(
    new_world: Callable[..., World], environment: Callable[..., object], server: Server, tmp_path: Path
) -> Iterator[Hostile]:
    world = new_world(company)
    opened = Hostile(world.url)
    environment(
        CONVO_DATABASE_URL=world.url, DAGSTER_PG_URL=server.create(), DAGSTER_HOME=str(tmp_path),
        LAKE_URI=f"file://{tmp_path}/lake", USER="ana",
    )  # fmt: skip
    _forget_addresses()
    yield opened
    opened.close()
    _forget_addresses()


def _forget_addresses() -> None:
    for remembered in (addresses.database_url, addresses.dagster_url, store.catalog):
        remembered.cache_clear()


def run(*arguments: str, status: int = 0) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, f"{arguments}: {done.output} {done.exception!r}"


def write(hostile: Hostile) -> None:
    """Write as the application does, whose search path finds the traps."""
    with psycopg.connect(hostile.url, autocommit=True) as application:
        application.execute("insert into app.histories_a (session_id, message) values ('s1', '{}')")
        application.execute("insert into app.histories_a (session_id, message) values ('s2', '{}'), ('s3', '{}')")
        application.execute("insert into app.people (client_id, name) select id, 'Ben' from app.clients")
        application.execute(
            "insert into app.messages (conversation_id, direction, sent_at) "
            "select id, 'inbound', current_timestamp from app.conversations"
        )
        application.execute("delete from app.message_recipients")
    hostile.connection.execute("update app.conversations set subject = 'x'")  # its own trigger calls clock_timestamp()
    assert hostile.sprung() is None


@both_servers
def test_the_traps_are_sprung_by_whoever_does_not_mind_the_search_path(hostile: Hostile) -> None:
    assert hostile.sprung() is None
    with psycopg.connect(hostile.url) as connection:
        connection.execute("select format_type(atttypid, null) from pg_catalog.pg_attribute limit 1")
    assert hostile.sprung() == "format_type(oid, text)"


@both_servers_if_wide
def test_no_command_runs_a_function_of_another_role(hostile: Hostile, tmp_path: Path) -> None:
    (person,) = hostile.connection.execute("select id::text from app.people").fetchone()
    (tmp_path / "export.csv").write_text('session_id,message,created_at\ns9,"{}",2026-03-10T09:00:00Z\n')
    (tmp_path / "views.sql").write_text("create view app.clients as select 1 as id;")
    hostile.connection.execute("create table public.chats (id int, session_id varchar(20), message jsonb)")
    hostile.connection.execute("insert into public.chats (session_id, message) values ('sales-1', '{}'), ('x', '{}')")
    write(hostile)
    calls: dict[str, list[tuple[list[str], int]]] = {
        "tick": [([], 0), (["--client", "C1"], 0)],
        "capture": [(["status"], 0), (["off", "messages"], 0), (["on"], 0)],
        "refresh": [(["conversation_summaries", "--start", "2026-03-01"], 0), (["--person", person], 0)],
        "reconcile": [([], 0)],
        "verify": [([], 0)],
        "status": [([], 0)],
        "health": [([], 0)],
        "alerts": [([], 0)],
        "data compare": [(["conversation_summaries", "--with", "table analytics.conversation_summaries"], 0)],
        "people link": [(["ben@example.com", person, "--reason", "asked"], 0)],
        "people unlink": [(["ben@example.com", person, "--reason", "asked"], 0)],
        "people decisions": [([], 0)],
        "people who": [(["ana@example.com"], 0), (["+4915112345678"], 0)],
        "data import-histories": [(["--crew", "A", str(tmp_path / "export.csv")], 0)],
        "client export": [(["C1", str(tmp_path / "client")], 0)],
        "client import": [([str(tmp_path / "client")], 0)],
        "data project-arrays": [([], 0), (["--write"], 0)],
        "generate data-dictionary": [([], 0)],
        "generate zero-schema": [([], 0)],
        "table keys": [(["histories_sessions"], 0)],
        "table show": [(["histories_sessions"], 0)],
        "table plan": [([], 0)],
        "table apply": [([], 0)],
        "table check": [(["nothing"], 1)],
        "table remove": [(["nothing", "--yes"], 1)],
        "lake write": [([], 0), (["--repair", "--clean"], 0)],
        "lake unfollow": [([], 0)],
        "lake query": [(["first_responses"], 0)],
        "forget": [(["--crew", "A", "--session", "s3"], 1)],
        "adopt": [
            (["--schema", "public"], 0),
            (["--check", str(tmp_path / "views.sql")], 1),
            (["install"], 1),
            (["release"], 1),
            (["restore"], 1),
            (["n8n", "--table", "public.chats", "--add-created-at", "--agents-by", "^([a-z]+)-", "--yes"], 0),
            (["install"], 0),
        ],
        "data sample": [(["--if-empty"], 0)],
        "migrate": [(["status"], 0), (["validate"], 0), (["up"], 0), (["down", "--yes"], 0), (["up"], 0)],
    }
    lines = [" ".join([name, *given]) for name, arguments in calls.items() for given, _ in arguments]
    assert without(lines) == SERVERS | PROGRAMS
    for name, arguments in calls.items():
        for given, status in arguments:
            run(*name.split(), *given, status=status)
            assert hostile.sprung() is None, (name, *given)


@both_servers
def test_nothing_that_serves_runs_a_function_of_another_role(hostile: Hostile) -> None:
    world = World(Warehouse(hostile.url), {"A": "histories_a"})
    follower = Follower(world.warehouse)
    for _ in range(2):
        follower.step()
    write(hostile)
    complete(world.warehouse, [SessionKey("A", "s2")])
    for _ in range(30):
        follower.step()
    assert hostile.sprung() is None
    world.execute("set search_path = pg_catalog")
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    world.backfill(at(0).date(), at(1).date())
    world.checks()
    read.summaries()
    read.person_timeline(world.execute("select id from app.people limit 1")[0]["id"])
    read.lag()
    assert hostile.sprung() is None
    world.close()


@both_servers_if_wide
def test_a_refused_conversation_runs_only_the_trigger_that_refuses_it(hostile: Hostile) -> None:
    hostile.connection.execute("""
        create function app.refuse() returns trigger language plpgsql as $$
        begin
            raise exception 'no' using errcode = 'P0001';
        end $$;
        create trigger refuses before insert on app.conversations for each row when (new.session_id = 's2')
        execute function app.refuse()
    """)
    write(hostile)
    run("tick")
    assert hostile.sprung() is None
    refused = hostile.connection.execute(
        "select session_id, refused_by from analytics.refused_conversations"
    ).fetchall()
    assert refused == [("s2", "trigger refuses")]


@debian_only
def test_nor_through_a_pooler(hostile: Hostile, environment: Callable[..., object]) -> None:
    write(hostile)
    with pooler(hostile.url, "transaction") as address:
        environment(CONVO_DATABASE_URL=address)
        addresses.database_url.cache_clear()
        for command in (["tick"], ["status"], ["capture", "status"], ["health"], ["reconcile"]):
            run(*command)
            assert hostile.sprung() is None, command
