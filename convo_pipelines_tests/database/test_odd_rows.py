"""Whatever PostgreSQL accepts in a column that the pipeline reads affects that row, and nothing else."""

import logging
import os
import random
import string
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import pandas as pd
import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, make_url, text

from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import forget, health
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide, company
from convo_pipelines_tests.world import LINKS, PIPELINE, EveryCrewFailedError, World, at, check_definitions, sample

LONG = "".join(random.Random(1).choices(string.ascii_letters, k=6_000))
ODD_TIMES = ["infinity", "-infinity", "9999-12-31 23:59+00", "20260-01-01", "0001-01-01", "4713-01-01 BC"]
ODD_TEXTS = [
    "", " ", LONG, "https://linkedin.com/in/%00", "https://linkedin.com/in/%1f", "\u202eane\u200d", "👩‍💻",
    "a\tb\nc\x01", "%s", "{histories}", "[/red]", "|", "'; drop table app.people; --",
    "ana@" + "x" * 300 + ".example", "@", "+",
]  # fmt: skip
ODD_ARRAYS = ["{}", "{NULL}", "{{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000001}}"]
ODD_MESSAGES = [
    None,
    "null",
    "7",
    "[]",
    '{"type": {"type": "human"}}',
    '{"type": null}',
    '["human"]',
    "[" * 900 + "]" * 900,
]
ODD_JSON = [
    *ODD_MESSAGES,
    '{"type": "human", "x": "\\ud800"}',
    '{"type": "ai", "x": "\\u0000"}',
    '{"type":"human","type":"x"}',
]
oracle.CANONICAL.update(dict.fromkeys(ODD_TEXTS))

Write = tuple[str, Any]
WRITES: dict[str, tuple[str, list[Any]]] = {
    "session id": ("insert into app.histories_a (session_id, message) values (%s, '{}')", ODD_TEXTS),
    "message": ("insert into app.histories_a (session_id, message) values ('odd', %s)", ODD_MESSAGES),
    "json message": ("insert into app.histories_j (session_id, message) values ('odd', %s)", ODD_JSON),
    "created_at": ("insert into app.histories_a (session_id, message, created_at) values ('odd', '{}', %s)", ODD_TIMES),
    "crew code": (
        "insert into app.crews (client_id, crew_code, name, histories_table_name) "
        "select client_id, %s, 'odd', 'odd_' || (select count(*) from app.crews) from app.crews where crew_code = 'A'",
        ODD_TEXTS,
    ),
    "client code": ("insert into app.clients (client_code, name) values (%s, 'odd')", ODD_TEXTS),
    "name": ("insert into app.people (client_id, name) select id, %s from app.clients limit 1", ODD_TEXTS),
    "email": ("insert into app.people (client_id, name, email) select id, '', %s from app.clients limit 1", ODD_TEXTS),
    "phone": ("insert into app.people (client_id, name, phone) select id, '', %s from app.clients limit 1", ODD_TEXTS),
    "urn": (
        "insert into app.people (client_id, name, linkedin_urn) select id, '', %s from app.clients limit 1", ODD_TEXTS,
    ),
    "address": ("insert into app.contact_methods (kind, value) values ('email', %s)", ODD_TEXTS),
    "number": ("insert into app.contact_methods (kind, value) values ('phone', %s)", ODD_TEXTS),
    "profile": ("insert into app.contact_methods (kind, value) values ('linkedin', %s)", ODD_TEXTS),
    "started_at": ("update app.conversations set started_at = %s where subject = 'odd'", ODD_TIMES),
    "closed_at": ("update app.conversations set closed_at = %s where subject = 'odd'", ODD_TIMES),
    "conversation's created_at": ("update app.conversations set created_at = %s where subject = 'odd'", ODD_TIMES),
    "updated_at": ("update app.conversations set updated_at = %s where subject = 'odd'", ODD_TIMES),
    "external_id": ("update app.conversations set external_id = %s where subject = 'odd'", ODD_TEXTS),
    "conversation's session": (
        "insert into app.conversations (channel, crew_id, session_id, started_at) "
        "select 'crew', id, %s, now() from app.crews where crew_code = 'A'", ODD_TEXTS,
    ),
    "sent_at": (
        "insert into app.messages (conversation_id, direction, sent_at) "
        "select id, 'inbound', %s from app.conversations where subject = 'odd'", ODD_TIMES,
    ),
    "project": (
        "update app.conversations set project_id = (select id from app.projects limit 1), created_at = %s "
        "where subject = 'odd'", ODD_TIMES,
    ),
    "array": ("update app.projects set conversation_ids = %s", ODD_ARRAYS),
    "project's name": ("update app.projects set name = %s", ODD_TEXTS),
    "rule": ("insert into app.rules values (%s)", [0, 2, 10, 1_000]),
}  # fmt: skip
RULES = """
create table app.rules (longest int);
create function app.refuse() returns trigger language plpgsql as $$ begin
    if length(new.session_id) > (select min(longest) from app.rules) then raise '% is refused', new.session_id; end if;
    return new;
end $$;
create trigger refuse before insert on app.conversations for each row execute function app.refuse()
"""
"""A rule of the application: session ids have a maximum length, which a write may lower."""
writes = st.one_of(st.tuples(st.just(name), st.sampled_from(values)) for name, (_, values) in WRITES.items())


def write(world: World, name: str, value: object) -> None:
    """Write as the application would, unless the database refuses."""
    errors = psycopg.errors
    with suppress(errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded, errors.RaiseException):
        world.execute(WRITES[name][0], value)


def tick(world: World) -> list[str]:
    """Tick every table as the schedules do; return what failed."""
    log = logging.getLogger("test")
    errors: list[str] = []
    for table in DERIVED_TABLES:
        _, crews = ticks.tick(world.warehouse, table, log)
        errors += [f"{crew.crew.code}: {crew.error}" for crew in crews if crew.error]
    return errors


def refused(world: World) -> set[tuple[UUID, str]]:
    """The sessions whose conversation the rule refuses, and that are counted so."""
    longest = "(select min(longest) from app.rules)"
    rows = world.execute(f"select *, length(session_id) > {longest} as is_long from analytics.refused_conversations")
    assert all(row["is_long"] and row["refused_by"] == "trigger refuse" for row in rows)
    return {(row["crew_id"], row["session_id"]) for row in rows}


TABLES_OF_ODD_CREWS = """
create function own_table() returns trigger language plpgsql as $$
begin
    execute format('create table app.%1$I (like app.histories_a including all)', new.histories_table_name);
    execute format('insert into app.%1$I (session_id, message) values (''s1'', ''{}'')', new.histories_table_name);
    return new;
end $$;
create trigger own_table before insert on app.crews for each row when (new.name = 'odd') execute function own_table();
"""


@pytest.fixture
def ordinary(new_world: Callable[[], World]) -> Callable[[], World]:
    """Makes worlds with a row of everything, and one conversation that odd things are done to."""

    def make() -> World:
        world = new_world()
        world.execute("alter database " + world.connection.info.dbname + " set datestyle = 'German'")
        world.execute(RULES)
        world.execute(TABLES_OF_ODD_CREWS)
        for crew, client in (("A", "C1"), ("B", "C2"), ("J", "C1")):
            world.crew(crew, client=client)
            world.say("4915112345678", "human", at(0), crew)
            world.say("s1", "ai", at(1), crew)
        world.execute("alter table app.histories_j alter message type json")
        project = world.project()
        talk = world.conversation(started_at=at(), project_id=project)
        world.address(talk, world.contact("ana@example.com", world.person(phone="+49 151 12345678")))
        world.message(world.conversation(started_at=at(), subject="odd"))
        assert tick(world) == []
        return world

    return make


@pytest.mark.long(20)
@settings(max_examples=int(os.environ.get("ODD_EXAMPLES", "3")), deadline=None, suppress_health_check=list(HealthCheck))
@given(odd=st.lists(writes, min_size=5, max_size=25))
def test_nothing_but_the_odd_row_is_affected(ordinary: Callable[[], World], odd: list[Write]) -> None:
    with closing(ordinary()) as world:
        for name, value in odd:
            write(world, name, value)
        assert tick(world) == []
        oracle.assert_right(world, refused(world))
        oracle.assert_links_right(world)
        assert world.reconcile().drift.changed == 0


@pytest.mark.long(30)
@both_servers_if_wide
@pytest.mark.wide
def test_every_odd_value_in_every_column(ordinary: Callable[[], World]) -> None:
    world = ordinary()
    for name, (_, values) in WRITES.items():
        for value in values:
            write(world, name, value)
            if name.endswith("_at") or name in ("array", "project"):
                assert tick(world) == [], (name, value)
    assert tick(world) == []
    oracle.assert_right(world, refused(world))
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
    world.tick()
    world.sync()
    world.backfill(at().date(), at(1).date())
    assert not any(check.severity.name == "ERROR" for check in world.checks().values() if not check.passed)


@both_servers_if_wide
def test_what_is_odd_is_counted_with_an_example_and_a_remedy(world: World) -> None:
    world.crew()
    world.say("s1", "human", at())
    world.say(None, "human", at(hour=13))
    world.say(LONG, "human", at())
    world.say_raw("s2", "{}", None)
    world.say_raw("s3", "[]", at())
    talk = world.conversation(
        started_at="infinity", closed_at="infinity", created_at="infinity", project_id=world.project()
    )
    message = world.message(talk, when="infinity")
    for step in (lambda: (world.tick(), world.sync()), world.reconcile):
        step()
        found = {
            (row["asset_key"], row["crew_code"] or "", row["kind"], row["rows"], row["example"])
            for row in world.execute("select * from analytics.oddities left join app.crews on crews.id = crew_id")
        }
        assert found == {
            ("histories_sessions", "A", "rows without a session_id", 1, "2026-03-10 13:00:00+00"),
            ("histories_sessions", "A", "rows with a session_id of more than 2,000 bytes", 1, LONG[:100]),
            ("histories_sessions", "A", "rows without a usable created_at", 1, "s2"),
            ("histories_sessions", "A", "messages of no known type", 1, "s3"),
            ("conversation_summaries", "", "messages without a usable sent_at", 1, str(message)),
            ("conversation_summaries", "", "conversations without a usable started_at", 1, str(talk)),
            ("conversation_summaries", "", "conversations without a usable closed_at", 1, str(talk)),
            ("project_conversations", "", "conversations without a usable created_at or updated_at", 1, str(talk)),
        }
    assert all(row["remedy"] for row in world.execute("select * from analytics.oddities"))
    assert {asset: check.metadata["offenders"].value for asset, check in odd_rows(world).items()} == {
        "histories_sessions": 4, "crew_conversations": 0, "conversation_summaries": 3, "project_conversations": 1,
    }  # fmt: skip
    world.execute("delete from app.histories_a where session_id is distinct from 's1'")
    world.execute("delete from app.conversations where id = %s", talk)
    world.reconcile()
    assert world.execute("select * from analytics.oddities") == []
    assert all(check.passed for check in odd_rows(world).values())


@both_servers_if_wide
def test_a_contact_method_with_a_persons_id(world: World) -> None:
    person = world.person(email="ana@example.com")
    world.insert("contact_methods", id=person, kind="email", value="ana@example.com")
    world.insert("contact_methods", kind="email", value="ben@b.example")
    world.address(world.conversation(started_at=at()), person)
    world.sync()
    oracle.assert_links_right(world)
    world.execute("update app.contact_methods set value = 'ben@b.example' where id = %s", person)
    world.sync()
    oracle.assert_links_right(world)
    world.execute("delete from app.people")
    world.sync()
    oracle.assert_links_right(world)


@both_servers_if_wide
def test_two_crews_never_share_a_table(world: World) -> None:
    world.crew("A", table="shared")
    world.crew("C", client="C2")
    for crew in "AC":
        world.say("s1", "human", at(), crew)
    world.tick()
    assert len(world.execute("select * from analytics.histories_sessions")) == 2
    world.execute("create view app.shown as select * from app.shared; create table app.child () inherits (app.shared)")
    colleague = world.crew("B", table="shared", create=False)
    intruder = world.crew("D", client="C2", table="shared", create=False)
    viewer = world.crew("E", table="shown", create=False)
    heir = world.crew("F", table="child", create=False)
    for crew in "AC":
        world.say("s2", "human", at(), crew)
    world.tick()
    for crew, others in {
        "A": "B of client C1, D of client C2, F of client C1",
        "B": "A of client C1, D of client C2, F of client C1",
        "D": "A of client C1, B of client C1, F of client C1",
        "E": "A of client C1, B of client C1, D of client C2, F of client C1",
        "F": "A of client C1, B of client C1, D of client C2",
    }.items():
        error = world.state(crew)["last_error"]
        assert f"is also read by {others}; a histories table belongs to one client, and to one crew of it" in error
    assert {row["crew"] for row in sample(world.checks("every_crew_succeeded")["every_crew_succeeded"])} == {*"ABDEF"}
    assert all(sessions(world, crew) == set() for crew in (colleague, intruder, viewer, heir))
    assert len(world.execute("select * from analytics.histories_sessions")) == 3
    world.execute("delete from app.crews where crew_code in ('B', 'E', 'F')")
    world.execute("update app.crews set histories_table_name = 'histories_d' where id = %s", intruder)
    world.execute("create table app.histories_d (like app.shared including all)")
    world.tick()
    oracle.assert_right(world)


@both_servers_if_wide
def test_a_partition_that_another_clients_crew_names_is_refused(world: World) -> None:
    world.execute(
        "create table app.parts (session_id text, message jsonb, created_at timestamptz) "
        "partition by range (created_at)"
    )
    world.execute("create table app.part_1 partition of app.parts for values from ('2026-01-01') to ('2027-01-01')")
    world.crew("A", table="parts", create=False)
    world.crew("B", table="part_1", create=False, client="C2")
    world.say("s1", "human", at())
    with pytest.raises(EveryCrewFailedError):
        world.tick()
    assert "also read by B of client C2" in world.state("A")["last_error"]
    assert "also read by A of client C1" in world.state("B")["last_error"]


WITHOUT_KEYS_OF_ITS_OWN = """
do $$ declare key record; begin
    for key in select * from pg_constraint where contype = 'f' and connamespace = 'app'::regnamespace loop
        execute format('alter table %s drop constraint %I', key.conrelid::regclass, key.conname);
    end loop;
end $$
"""


@both_servers_if_wide
def test_rows_of_tables_that_inherit_are_left_out_and_named(world: World) -> None:
    world.execute(WITHOUT_KEYS_OF_ITS_OWN)
    parents = ("clients", "contact_methods", "conversations", "crews", "people", "projects", "users")
    for parent in parents:
        world.execute(f"create table app.more_{parent} (like app.{parent} including all) inherits (app.{parent})")
    client, user = world.client(), world.insert("users", name="…")
    mail = world.contact("ana@example.com", world.person(email="ana@example.com"))
    world.tick()
    world.sync()
    for named in ("clients", "contact_methods", "conversations", "people", "projects"):
        other_client = world.insert("more_clients", client_code="C2", name="") if named == "clients" else client
        person = (
            world.insert("more_people", client_id=client, name="", email="ben@example.com")
            if named == "people"
            else None
        )
        contacts = f"{'more_' if named == 'contact_methods' else ''}contact_methods"
        contact = world.insert(contacts, kind="email", value=f"{named}@example.com", person_id=person)
        projects = f"{'more_' if named == 'projects' else ''}projects"
        project = world.insert(projects, user_id=user, name="")
        talks = f"{'more_' if named == 'conversations' else ''}conversations"
        talk = world.insert(talks, channel="email", client_id=other_client, project_id=project, started_at=at())
        world.address(talk, contact)
        world.address(talk, mail)
    world.crew("A")
    world.execute("create table app.histories_b (like app.histories_a including all)")
    world.insert("more_crews", client_id=client, crew_code="B", name="", histories_table_name="histories_b")
    world.tables["B"] = "histories_b"
    for crew in "AB":
        world.say("s1", "human", at(), crew)
    for _ in range(2):
        world.tick()
        world.sync()
        assert not world.has_news(PIPELINE + LINKS)
        assert [
            len(world.execute(f"select from analytics.{table}"))
            for table in ("histories_sessions", "conversation_summaries")
        ] == [1, 5]
        assert world.reconcile().drift.changed == 0
    found = {(finding.kind, finding.subject, finding.found) for finding in health.look(world.warehouse)}
    assert found == {
        ("rows of a child are left out", f"app.{parent}", f"app.more_{parent} inherits from it")
        for parent in parents
        if parent != "users"
    }
    world.drop_foreign_keys()
    world.tick()
    world.reconcile()
    assert health.look(world.warehouse) == []
    oracle.assert_right(world)
    oracle.assert_links_right(world)


def odd_rows(world: World) -> dict[str, dg.AssetCheckResult]:
    """What the check of odd rows finds, by asset."""
    found = world.checks(*(name for name in check_definitions() if name.endswith("/no_odd_rows")))
    return {name.removesuffix("/no_odd_rows"): check for name, check in found.items()}


def sessions(world: World, crew: UUID) -> set[str]:
    rows = world.execute("select session_id from analytics.histories_sessions where crew_id = %s", crew)
    return {row["session_id"] for row in rows}


@both_servers_if_wide
def test_an_odd_crew_stops_nobody_else(world: World) -> None:
    world.crew("A")
    client = world.client()
    odd = {"LONG TABLE": LONG, LONG[:2_650]: "histories_l", "NAME OF 64": "x" * 64}
    world.execute("create table app.histories_l (like app.histories_a including all)")
    for code, table in odd.items():
        world.insert("crews", client_id=client, crew_code=code, name="", histories_table_name=table)
    for table in ("a", "l"):
        world.execute(f"insert into app.histories_{table} (session_id, message) values ('s1', '[]')")
    errors = tick(world)
    assert {error.split(":")[0] for error in errors} == {"LONG TABLE", "NAME OF 64"}
    assert all("is not allowed: use lower-case letters, digits and _ only, 63 at most" in error for error in errors)
    assert len(world.execute("select from analytics.histories_sessions")) == 2


def test_oddities_of_a_crew_that_is_gone_are_gone(world: World) -> None:
    for crew in "ABC":
        world.crew(crew)
        world.say_raw("s1", "[]", at(), crew)
    tick(world)
    world.reconcile()
    world.execute("delete from app.crews where crew_code = 'A'")
    world.execute("update app.crews set is_active = false where crew_code = 'B'")
    world.execute("update app.crews set crew_code = 'Z' where crew_code = 'C'")
    tick(world)
    world.reconcile()
    found = world.execute("select crew_code from analytics.oddities join app.crews on crews.id = crew_id")
    assert [row["crew_code"] for row in found] == ["Z"]


@both_servers_if_wide
def test_a_crew_of_a_shared_table_that_is_given_to_another_client_is_refused(world: World) -> None:
    world.crew("A", table="shared")
    world.crew("B")
    world.say("s1", "human", at(), "A")
    assert tick(world) == []
    world.execute("update app.crews set histories_table_name = 'shared' where crew_code = 'B'")
    assert len(tick(world)) == 2
    world.execute("update app.crews set client_id = %s where crew_code = 'B'", world.client("C2"))
    assert len(tick(world)) == 2


@both_servers
@pytest.mark.parametrize(
    "setting",
    [
        "client_encoding = 'LATIN1'", "client_encoding = 'SQL_ASCII'", "default_transaction_read_only = on",
        "statement_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "lock_timeout = '1ms'",
    ],
)  # fmt: skip
def test_settings_of_the_database_stop_nothing(world: World, setting: str) -> None:
    world.crew("A")
    world.say("👩‍💻", "human", at())
    world.execute(f"alter database {world.connection.info.dbname} set {setting}")
    assert tick(world) == []
    assert len(world.execute("select from analytics.histories_sessions")) == 1


def test_a_crew_whose_connection_is_killed_costs_only_its_own(world: World) -> None:
    for crew in "ABC":
        world.crew(crew)
        world.say("s1", "human", at(), crew)
    assert tick(world) == []
    world.execute(
        "create function app.killed(session_id text) returns text language sql volatile as "
        "$$ select session_id where pg_terminate_backend(pg_backend_pid()) $$; "
        "alter table app.histories_b rename to b; "
        "create view app.histories_b as select id, app.killed(session_id) as session_id, message, created_at from app.b"
    )
    for crew in "AC":
        world.say("s2", "human", at(), crew)
    assert len(tick(world)) == 1
    assert len(world.execute("select from analytics.histories_sessions where session_id = 's2'")) == 2


def test_a_failing_crew_does_not_keep_another_from_being_forgotten(world: World) -> None:
    for crew in "AB":
        world.crew(crew)
        world.say("s1", "human", at(), crew)
    assert tick(world) == []
    world.execute(
        "alter table app.histories_b rename column message to body; insert into app.histories_b values (9, 's2')"
    )
    world.execute("delete from app.histories_a; delete from app.conversations where crew_id in "
                  "(select id from app.crews where crew_code = 'A')")  # fmt: skip
    assert len(tick(world)) == 1
    assert forget.sessions(world.warehouse, "A", "s1")
    with pytest.raises(forget.StillThereError):
        forget.sessions(world.warehouse, "B", "s1")


TIMES = """
select attrelid::regclass::text as "table", array_agg(quote_ident(attname)) as columns
from pg_attribute join pg_class as class on class.oid = attrelid
where relnamespace in ('app'::regnamespace, 'curation'::regnamespace) and relkind = 'r'
    and atttypid = 'timestamptz'::regtype and attname <> 'revoked_at' and attnum > 0 and not attisdropped
    and relname !~ '^schema_migration'
group by attrelid
"""


def test_every_client_reads_every_table_and_view_whatever_the_times(world: World) -> None:
    company(world)
    ana, user = world.person(email="ana@example.com"), uuid4()
    world.decide("ana@example.com", ana)
    for number, _ in enumerate(ODD_TIMES):
        world.say(f"s{number}")
        talk = world.conversation(lead_id=uuid4(), customer_id=uuid4(), project_id=world.project())
        world.address(talk, world.contact("ana@example.com"), "from")
        world.address(talk, world.contact("ana@example.com"))
        world.assign(talk, world.project(), str(user))
    world.execute("set session_replication_role = replica")  # no trigger sets updated_at
    for table in world.execute(TIMES):
        for column in table["columns"]:
            world.execute(
                f"update {table['table']} as target set {column} = odd.at from ("
                "select ctid, (%s::timestamptz[])[row_number() over (order by ctid desc)] as at "
                f"from {table['table']}) as odd where target.ctid = odd.ctid and odd.at is not null",
                ODD_TIMES,
            )
    world.tick()
    world.sync()
    relations = world.execute(
        "select oid::regclass::text as name from pg_class "
        "where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v') order by 1"
    )
    engine = create_engine(make_url(world.url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with psycopg.connect(world.url) as plain, engine.connect() as pandas, dbapi.connect(world.url) as arrow:
        for relation in relations:
            query = f"select * from {relation['name']}"
            plain.execute(query).fetchall()
            pd.read_sql_query(text(query), pandas)
            with arrow.cursor() as cursor:
                cursor.execute(query)
                cursor.fetch_arrow_table().to_pylist()
        times = plain.execute("select started_at, closed_at from analytics.clients_conversations").fetchall()
    assert sum(started is None for started, _ in times) >= len(ODD_TIMES)
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


REQUIRED = """
select relname::text as table_name, attname::text as column_name
from pg_attribute join pg_class as class on class.oid = attrelid
where relnamespace = 'app'::regnamespace and relkind = 'r' and attnotnull and attnum > 0 and not attisdropped
    and relname !~ '^schema_migration' and relname not like 'histories%%'
order by 1, 2
"""


def test_a_null_where_a_view_may_have_one_stops_no_table(world: World, caplog: pytest.LogCaptureFixture) -> None:
    company(world)
    for number in range(8):
        world.crew(f"x{number}")
        world.say("s1", crew=f"x{number}")
        world.insert("clients", client_code=f"X{number}", name="…")
        world.insert("users", name="…")
        person = world.person(email=f"x{number}@example.com")
        talk = world.conversation(project_id=world.project(), closed_at=at(1))
        world.address(talk, world.contact(f"x{number}@example.com", person))
    assert tick(world) == []
    links = world.linked()
    world.execute(
        "do $$ declare one record; begin for one in select conrelid::regclass as name, conname from pg_constraint "
        "where connamespace = 'app'::regnamespace and contype in ('p', 'f') order by contype "
        "loop execute format('alter table %s drop constraint %I cascade', one.name, one.conname); end loop; end $$"
    )
    for number, column in enumerate(world.execute(REQUIRED)):
        table, name = column["table_name"], column["column_name"]
        world.execute(f"alter table app.{table} alter {name} drop not null")
        world.execute(
            f"update app.{table} set {name} = null "
            f"where ctid = (select ctid from app.{table} order by ctid limit 1 offset {number % 8 + 1})"
        )
    assert tick(world) == []
    assert world.reconcile().drift.changed == 0
    assert len(links & world.linked()) > len(links) / 4
    kinds = {row["kind"] for row in world.execute("select kind from analytics.oddities")}
    assert kinds >= {"contact methods without a usable kind and value", "conversations without a channel"}
    assert "@example.com" not in caplog.text
