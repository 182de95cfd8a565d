"""`adopt n8n`: tables of chat messages that n8n and others make, read by crews beside the reference tables."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import connections
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests.adopted import assert_right, modes, refresh
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import World, sample

N8N = "create table {} (id serial primary key, session_id varchar(255) not null, message jsonb not null)"
LANGCHAIN = (
    "create table public.chat_history (id serial primary key, session_id uuid not null, message jsonb not null, "
    "created_at timestamptz not null default now())"
)
FLOWISE = """
create table public.chat_flow (id uuid primary key default gen_random_uuid(), "name" varchar not null);
create table public.chat_message (
    id uuid primary key default gen_random_uuid(), "role" varchar not null, chatflowid uuid not null,
    "content" text not null, "sourceDocuments" varchar, "createdDate" timestamp not null default now(),
    "chatType" varchar not null default 'INTERNAL', "chatId" varchar not null, "memoryType" varchar, "sessionId" varchar
);
"""
DIFY = """
create table public.apps (id uuid primary key, tenant_id uuid not null, name varchar(255) not null);
create table public.conversations (id uuid primary key, app_id uuid not null, name varchar(255) not null);
create table public.messages (
    id uuid primary key default gen_random_uuid(), app_id uuid not null,
    conversation_id uuid not null references public.conversations, inputs json, query text not null,
    message json not null, answer text not null, provider_response_latency double precision not null default 0,
    status varchar(255) not null default 'normal', from_source varchar(255) not null, from_end_user_id uuid,
    created_at timestamp not null default current_timestamp(0),
    updated_at timestamp not null default current_timestamp(0)
);
"""
BY_PREFIX = ("--agents-by", "^([a-z]+)-")
SUMMARIES = """
select crew_code as crew, session_id as session, inbound_count as asked, outbound_count as answered
from analytics.conversation_summaries inner join app.crews on crews.id = crew_id
order by 1, 2
"""


@pytest.fixture
def world(empty_database: str) -> Iterator[World]:
    opened = World(Warehouse(empty_database))
    yield opened
    opened.close()


def adopt(*arguments: str, status: int = 0) -> str:
    """Run `adopt n8n`; return what it says, on one line."""
    result = CliRunner().invoke(main, ["adopt", "n8n", *arguments])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def write(world: World, *sessions: str, table: str = "public.n8n_chat_histories") -> None:
    """Write a question and its answer, as n8n does."""
    for session in sessions:
        for kind in ("human", "ai"):
            message = Jsonb({"type": kind, "content": "…", "additional_kwargs": {}})
            world.execute(f"insert into {table} (session_id, message) values (%s, %s)", session, message)


def summaries(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in world.execute(SUMMARIES)]


def assert_captured(world: World) -> None:
    assert modes(world) == {}
    assert_right(world)


@both_servers
def test_agents_of_n8ns_own_table_become_crews_with_summaries(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "sales-1", "support-1", "4915100000001")
    said = adopt("--add-created-at", *BY_PREFIX, "--yes")
    assert "create or replace view app.sales_histories" in said
    assert "they have no time: 4 (analytics.oddities)" in said
    assert "sessions that no crew has: 1 (analytics.unmatched_sessions)" in said
    write(world, "sales-1", "support-2", "4915100000001")
    refresh(world)
    assert summaries(world) == [("sales", "sales-1", 1, 1), ("support", "support-2", 1, 1)]
    assert_captured(world)
    [unmatched] = world.execute("select * from analytics.unmatched_sessions")
    assert (unmatched["session_id"], unmatched["message_count"]) == ("4915100000001", 4)
    assert unmatched["first_message_at"] is not None
    [offender] = sample(world.checks("no_sessions_without_crew")["no_sessions_without_crew"])
    assert offender["view_name"] == "n8n_chat_histories_of_no_crew"


def test_nothing_is_changed_without_yes(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "s1")
    shown = adopt("--add-created-at")
    assert "Nothing was changed: say --yes" in shown
    assert "add column created_at timestamptz, alter column created_at set default now()" in shown
    relations = "select count(*) as n from pg_class where relnamespace = to_regnamespace('app')"
    assert world.execute(relations) == [{"n": 0}]
    columns = "select count(*) as n from pg_attribute where attrelid = 'n8n_chat_histories'::regclass and attnum > 0"
    assert world.execute(columns) == [{"n": 3}]
    run = adopt("--add-created-at", "--yes")
    assert run.startswith(shown.partition("Nothing was changed")[0].strip())


def test_rows_that_are_there_have_no_time_and_are_no_activity_of_today(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "s1", "s2")
    assert "With --add-created-at it gets a column created_at" in adopt("--yes", status=1)
    adopt("--add-created-at", "--yes")
    assert summaries(world) == []
    assert world.execute("select * from analytics.crew_activity_daily") == []
    [odd] = world.execute("select kind, rows from analytics.oddities")
    assert odd == {"kind": "rows without a usable created_at", "rows": 4}
    world.execute("update public.n8n_chat_histories set created_at = '2026-01-05 12:00+00' where session_id = 's1'")
    refresh(world)
    assert summaries(world) == [("n8n_chat_histories", "s1", 1, 1)]
    assert_captured(world)
    assert world.execute("select kind, rows from analytics.oddities") == [odd | {"rows": 2}]


def test_a_new_agent_is_adopted_by_the_same_command(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "sales-1")
    adopt("--add-created-at", *BY_PREFIX, "--yes")
    write(world, "sales-1", "support-1", "support-1")
    refresh(world)
    assert summaries(world) == [("sales", "sales-1", 1, 1)]
    said = adopt(*BY_PREFIX, "--yes")
    assert "view app.support_histories" in said
    assert "view app.sales_histories" not in said
    assert "sessions that no crew has" not in said
    assert summaries(world) == [("sales", "sales-1", 1, 1), ("support", "support-1", 2, 2)]
    assert "-- there is nothing to create" in adopt(*BY_PREFIX, "--yes")
    assert_captured(world)


def test_a_pattern_tells_clients_and_agents_apart(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    world.execute("alter table public.n8n_chat_histories add created_at timestamptz default now()")
    write(world, "acme:sales:1", "acme:support:1", "beta:sales:1", "beta:1", ":sales:2", "gamma")
    adopt("--clients-by", "^([^:]*):", "--agents-by", "^[^:]*:([a-z]+):", "--yes")
    refresh(world)
    assert [crew for crew, *_ in summaries(world)] == ["acme-sales", "acme-support", "beta-sales"]
    clients = "select client_code, count(*) as n from analytics.conversation_summaries join analytics.client_names "
    assert world.execute(f"{clients} using (client_id) group by 1 order by 1") == [
        {"client_code": "acme", "n": 2},
        {"client_code": "beta", "n": 1},
    ]
    left = world.execute("select session_id from analytics.unmatched_sessions order by 1")
    assert {row["session_id"] for row in left} == {"beta:1", ":sales:2", "gamma"}
    assert_captured(world)


@pytest.mark.parametrize("type_", ["text", "mood", "int", "uuid"])
def test_a_column_tells_agents_apart(world: World, type_: str) -> None:
    values = {"text": ["a'b%", "A b"], "mood": ["good", "bad"], "int": ["1", "20"], "uuid": [str(UUID), str(OTHER)]}
    world.execute("create type public.mood as enum ('good', 'bad')")
    qualified = "public.mood" if type_ == "mood" else type_
    world.execute(N8N.format("public.memory"))
    world.execute(f"alter table public.memory add created_at timestamptz default now(), add agent {qualified}")
    write(world, "s1", "s2", "none", table="public.memory")
    for value, session in zip(values[type_], ("s1", "s2"), strict=True):
        world.execute(f"update public.memory set agent = %s::{qualified} where session_id = %s", value, session)
    adopt("--table", "public.memory", "--agents-by", "agent", "--client", "acme", "--yes")
    world.execute("update public.memory set created_at = created_at + interval '1 minute' where session_id <> 's1'")
    refresh(world)
    expected = sorted(
        (f"acme-{value}", session, 1, 1) for value, session in zip(values[type_], ("s1", "s2"), strict=True)
    )
    assert sorted(summaries(world)) == expected
    assert [row["session_id"] for row in world.execute("select session_id from analytics.unmatched_sessions")] == [
        "none"
    ]
    assert_captured(world)


UUID, OTHER = "3f0c0c3e-0000-4000-8000-000000000001", "3f0c0c3e-0000-4000-8000-000000000002"


def test_a_table_for_each_workflow_is_a_crew_each(world: World) -> None:
    for name in ("sales_histories", "Support Chat"):
        world.execute(N8N.format(f'public."{name}"'))
        write(world, "s1", table=f'public."{name}"')
    adopt("--add-created-at", "--yes")
    for name in ("sales_histories", "Support Chat"):
        write(world, "s1", "s2", table=f'public."{name}"')
    refresh(world)
    expected = [(crew, session, 1, 1) for crew in ("sales_histories", "Support Chat") for session in ("s1", "s2")]
    assert sorted(summaries(world)) == sorted(expected)
    assert_captured(world)
    said = adopt("--table", "public.Support Chat", "--agent", "help", "--yes", status=1)
    assert 'crew Support Chat reads public."Support Chat" already, as app.support_chat_histories' in said


@both_servers_if_wide
def test_pythons_langchain_postgres_is_read_by_its_uuids(world: World) -> None:
    world.execute(LANGCHAIN)
    for session, kind in ((UUID, "human"), (UUID, "ai"), (OTHER, "human")):
        message = Jsonb({"type": kind, "data": {"content": "…", "type": kind}})
        world.execute("insert into public.chat_history (session_id, message) values (%s, %s)", session, message)
    adopt("--agent", "helper", "--yes")
    assert summaries(world) == [("helper", UUID, 1, 1), ("helper", OTHER, 1, 0)]
    world.execute("delete from public.chat_history where session_id = %s", OTHER)
    refresh(world)
    assert summaries(world) == [("helper", UUID, 1, 1)]
    assert_captured(world)


@both_servers_if_wide
def test_flowises_messages_are_read_by_chatflow(world: World) -> None:
    world.execute(FLOWISE)
    flows = [row["id"] for row in world.execute("insert into chat_flow (name) values ('Sales'), ('Help') returning id")]
    said = 'insert into chat_message (role, chatflowid, content, "chatId", "sessionId", "createdDate") values '
    world.execute(f"{said} ('userMessage', %s, 'Hi', 'c1', null, '2026-03-01 08:00')", flows[0])
    world.execute(f"{said} ('apiMessage', %s, 'Yes?', 'c1', null, '2026-03-01 08:00:09')", flows[0])
    world.execute(f"{said} ('userMessage', %s, 'Hi', 'c2', '+4915100000001', '2026-03-01 09:00')", flows[1])
    adopt("--yes")
    names = world.execute("select name, crew_code from app.crews order by name desc")
    assert names == [
        {"name": name, "crew_code": str(flow)} for name, flow in zip(("Sales", "Help"), flows, strict=True)
    ]
    expected = [(str(flows[0]), "c1", 1, 1), (str(flows[1]), "+4915100000001", 1, 0)]
    assert sorted(summaries(world)) == sorted(expected)
    [first] = world.execute("select * from analytics.conversation_summaries where session_id = 'c1'")
    assert (first["started_at"].isoformat(), first["first_response_seconds"]) == ("2026-03-01T08:00:00+00:00", 9)
    world.execute("update chat_message set \"sessionId\" = 'x' where \"chatId\" = 'c1'")
    refresh(world)
    assert (str(flows[0]), "x", 1, 1) in summaries(world)
    assert_captured(world)


@both_servers_if_wide
def test_difys_messages_are_a_question_and_an_answer_each(world: World) -> None:
    world.execute(DIFY)
    world.execute("insert into apps values (%s, %s, 'Bot')", UUID, OTHER)
    world.execute("insert into conversations values (%s, %s, 'New conversation')", OTHER, UUID)
    said = (
        "insert into messages (app_id, conversation_id, query, message, answer, provider_response_latency, "
        f"from_source, created_at) values ('{UUID}', '{OTHER}', 'Hi', '[]', %s, %s, 'api', %s::timestamp)"
    )
    world.execute(said, "Yes?", 2.5, "2026-03-01 08:00")
    world.execute(said, "", 0, "2026-03-01 08:01")
    adopt("--yes")
    assert world.execute("select name, crew_code from app.crews") == [{"name": "Bot", "crew_code": UUID}]
    assert summaries(world) == [(UUID, OTHER, 2, 1)]
    [first] = world.execute("select first_response_seconds from analytics.conversation_summaries")
    assert first["first_response_seconds"] == 2.5
    world.execute("update messages set answer = 'Well', provider_response_latency = 86400 where answer = ''")
    refresh(world)
    assert summaries(world) == [(UUID, OTHER, 2, 2)]
    assert_captured(world)


def test_crews_stand_beside_filled_reference_tables_and_their_people_are_linked(world: World) -> None:
    upgrade.up(url=world.url)
    ana = world.person("C1", phone="+4915112345678")
    world.crew("A", client="C1")
    world.say("a", "human")
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "4915112345678")
    adopt("--add-created-at", "--client", "C1", "--agent", "wa", "--yes")
    write(world, "4915112345678")
    refresh(world)
    assert [(crew, session) for crew, session, *_ in summaries(world)] == [("A", "a"), ("C1-wa", "4915112345678")]
    linked = "select session_id from analytics.people_conversations join app.conversations as talk"
    found = world.execute(f"{linked} on talk.id = conversation_id where person_id = %s", ana)
    assert found == [{"session_id": "4915112345678"}]
    assert_captured(world)


def change(rng: random.Random) -> str:
    agent, other = rng.choice(["sales", "support", "new", ""]), rng.choice(["sales", "support"])
    session = f"{agent}-{rng.randrange(4)}"
    return rng.choice([
        f"insert into public.n8n_chat_histories (session_id, message) values ('{session}', '{{\"type\": \"human\"}}')",
        "insert into public.n8n_chat_histories (session_id, message, created_at) "
        f"select '{session}', '{{\"type\": \"ai\"}}', '2026-03-0{rng.randrange(1, 9)}' from generate_series(1, 3)",
        f"delete from public.n8n_chat_histories where session_id = '{session}'",
        f"update public.n8n_chat_histories set session_id = '{other}-1' where id % 7 = {rng.randrange(7)}",
        f"update public.n8n_chat_histories set session_id = '{session}' where id % 7 = {rng.randrange(7)}",
        f"update public.n8n_chat_histories set created_at = '2026-02-0{rng.randrange(1, 9)}' where created_at is null",
        f"update public.n8n_chat_histories set created_at = null where id % 9 = {rng.randrange(9)}",
    ])  # fmt: skip


@pytest.mark.representatives(1)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_written_each_message_is_of_one_crew_or_of_none(world: World, seed: int) -> None:
    rng = random.Random(seed)
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "sales-1", "support-1", "other")
    adopt("--add-created-at", *BY_PREFIX, "--yes")
    for _ in range(6):
        for _ in range(8):
            world.execute(change(rng))
        refresh(world)
        expected = Counter[tuple[str, str]]()
        left = Counter[str]()
        for row in world.execute("select session_id as session, created_at as at from public.n8n_chat_histories"):
            agent = row["session"].partition("-")[0]
            if agent not in ("sales", "support") or "-" not in row["session"]:
                left[row["session"]] += 1
            elif row["at"]:
                expected[agent, row["session"]] += 1
        counted = {(crew, session): asked + answered for crew, session, asked, answered in summaries(world)}
        assert counted == expected
        unmatched = world.execute("select session_id, message_count from analytics.unmatched_sessions")
        assert {row["session_id"]: row["message_count"] for row in unmatched} == left
    assert_captured(world)


def owned(world: World) -> None:
    world.execute("create schema app; create table app.n8n_chat_histories (session_id text, message jsonb)")


def adopted_by_views(world: World) -> None:
    upgrade.up(url=world.url)
    world.execute("drop table app.crews cascade; create view app.crews as select null::uuid as id")


def many(world: World) -> None:
    world.execute("alter table public.n8n_chat_histories add created_at timestamptz")
    write(world, *(f"a{number}-1" for number in range(101)))


def nothing(_: World) -> None:
    pass


REFUSED: list[tuple[Callable[[World], None], list[str], str]] = [
    (nothing, ["--table", "public.nothing"], "there is no table public.nothing"),
    (nothing, ["--table", "nothing"], "there is no table nothing"),
    (nothing, ["--table", "public.other"], "public.other is no table of chat messages: it has id integer, and needs"),
    (nothing, ["--add-created-at", "--agents-by", "(("], "(( is no column of public.n8n_chat_histories (id integer"),
    (nothing, ["--add-created-at", "--agents-by", "workflow"], "has no row with an agent by workflow. Its columns are"),
    (many, ["--agents-by", "^([a-z0-9]+)-"], "would have more than 100 agents, such as"),
    (owned, [], "schema app has tables, but none of crews"),
    (adopted_by_views, [], "app.clients and app.crews are views over tables of yours"),
]


@pytest.mark.parametrize(("before", "arguments", "message"), REFUSED, ids=[message[:30] for *_, message in REFUSED])
def test_what_cannot_be_adopted_is_named_and_nothing_is_changed(
    world: World, before: Callable[[World], None], arguments: list[str], message: str
) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    world.execute("create table public.other (id int)")
    write(world, "s1")
    before(world)
    relations = (
        "select oid from pg_class where relnamespace in ('public'::regnamespace, to_regnamespace('app')) order by 1"
    )
    there = world.execute(relations)
    assert message in adopt(*arguments, "--yes", status=1)
    assert world.execute(relations) == there


@pytest.mark.usefixtures("world")
def test_without_a_table_of_chat_messages_it_says_what_one_is() -> None:
    assert "no table of chat messages was found; name one by --table" in adopt("--yes", status=1)


def test_a_table_that_a_crew_reads_is_not_adopted_twice(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    world.execute("alter table public.n8n_chat_histories add created_at timestamptz default now()")
    write(world, "sales-1")
    adopt("--yes")
    said = adopt(*BY_PREFIX, "--yes", status=1)
    assert "crew n8n_chat_histories reads public.n8n_chat_histories already, as app.n8n_chat_histories" in said
    world.execute("update app.crews set is_active = false")
    adopt(*BY_PREFIX, "--yes")
    assert "crew n8n_chat_histories of client main already" in adopt("--yes", status=1)
    world.execute("update app.crews set is_active = true where crew_code = 'n8n_chat_histories'")
    [crew] = world.execute("select id, client_id from app.crews where crew_code = 'sales'")
    world.insert("crews", client_id=crew["client_id"], crew_code="b", name="b", histories_table_name="sales_histories")
    refresh(world)
    [state] = world.execute("select last_error from analytics.crew_discovery_state where crew_id = %s", crew["id"])
    assert (
        "app.sales_histories is also read by b of client main; a histories table belongs to one client"
        in state["last_error"]
    )


@pytest.fixture
def reader(world: World, own_database: Callable[[str], str]) -> Iterator[str]:
    """A role that owns nothing, as which commands connect."""
    world.execute("create role chats_reader login; grant select on all tables in schema public to chats_reader")
    own_database(make_url(world.url).set(username="chats_reader").render_as_string(hide_password=False))
    yield "chats_reader"
    world.execute("drop owned by chats_reader; drop role chats_reader")


def test_who_does_not_own_the_table_is_told_to_connect_as_its_owner(world: World, reader: str) -> None:
    upgrade.up(url=world.url)
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "s1")
    owner = "connect as the role that owns the table and schema app"
    assert f"permission denied for schema app: {owner}" in adopt("--yes", status=1)
    world.execute(f"grant usage on schema app to {reader}; grant select on all tables in schema app to {reader}")
    assert f"permission denied for table n8n_chat_histories: {owner}" in adopt("--add-created-at", "--yes", status=1)
    world.execute(f"grant select on public.n8n_chat_histories to {reader}")
    assert f"must be owner of table n8n_chat_histories: {owner}" in adopt("--add-created-at", "--yes", status=1)
    world.execute("alter table public.n8n_chat_histories enable row level security")
    said = adopt("--add-created-at", "--yes", status=1)
    assert f'row-level security policy for table "n8n_chat_histories": {owner}' in said


def test_a_table_that_is_locked_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    world.execute(N8N.format("public.n8n_chat_histories"))
    with psycopg.connect(world.url) as other:
        other.execute("lock table public.n8n_chat_histories in access share mode")
        assert "n8n_chat_histories" in adopt("--add-created-at", "--yes", status=1)
    adopt("--add-created-at", "--yes")
    write(world, "s1")
    refresh(world)
    assert summaries(world) == [("n8n_chat_histories", "s1", 1, 1)]


def test_views_are_released_and_restored_beside_the_reference_tables(world: World) -> None:
    world.execute(N8N.format("public.n8n_chat_histories"))
    write(world, "sales-1")
    adopt("--add-created-at", *BY_PREFIX, "--yes")
    assert CliRunner().invoke(main, ["adopt", "release"]).exit_code == 0
    world.execute("alter table public.n8n_chat_histories alter session_id type varchar(500)")
    write(world, "sales-2", "x")
    assert CliRunner().invoke(main, ["adopt", "restore"]).exit_code == 0
    write(world, "sales-2")
    refresh(world)
    assert summaries(world) == [("sales", "sales-2", 2, 2)]
    assert [row["session_id"] for row in world.execute("select session_id from analytics.unmatched_sessions")] == ["x"]
    assert_captured(world)
