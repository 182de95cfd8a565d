"""Tables and columns of the application, exchanged by rename, partitioned, dropped and made again, beside ticks.

Each table that is read, and each of its columns, is exchanged in each way: once in one transaction, once step by step
with ticks in between. The new rows differ from the old ones, and no trigger saw how.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.migrations import runner, upgrade, validation
from convo_pipelines.database.schema import OtherVersionError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding
from convo_pipelines.engine.ticks import compare
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.tables import HISTORIES_SESSIONS
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server
from convo_pipelines_tests.world import EveryCrewFailedError, World, at

HISTORIES = "histories_a"
DIFFERENT = {
    "clients": "update {} set client_code = client_code || 'x'",
    "crews": "update {} set name = name || 'x'",
    "people": "update {} set email = null where email = 'ana@example.com'",
    "contact_methods": "update {} set value = 'ana@example.com' where value = 'ben@b.example'",
    "conversations": "update {} set started_at = started_at - interval '3 days', closed_at = null, project_id = null",
    "messages": "update {} set sent_at = sent_at + interval '2 days'",
    "message_recipients": "delete from {} where role = 'cc'",
    "projects": "update {} set conversation_ids = '{{}}'",
    "users": "update {} set name = name || 'x'",
    HISTORIES: "update {} set session_id = 's9' where session_id = 's1'",
}
"""What makes the rows of the new table different."""
COLUMNS = {
    "clients": ["client_code", "name", "is_active"],
    "crews": ["client_id", "crew_code", "name", "histories_table_name", "is_active"],
    "people": ["id", "client_id", "name", "email", "phone", "linkedin_urn"],
    "contact_methods": ["id", "person_id", "kind", "value"],
    "conversations": [
        *("id", "channel", "client_id", "crew_id", "session_id", "project_id", "lead_id", "customer_id", "subject"),
        *("started_at", "closed_at", "created_at", "updated_at"),
    ],
    "messages": ["id", "conversation_id", "direction", "sent_at"],
    "message_recipients": ["message_id", "contact_method_id", "role"],
    "projects": ["id", "user_id", "name", "conversation_ids"],
    "users": ["id", "name"],
    HISTORIES: ["session_id", "message", "created_at"],
}
TYPES = {"text": "varchar(3000)", "jsonb": "json"}
"""What a column becomes when it is exchanged."""


ALIKE = {
    ("contact_methods", "kind"): "kind",
    ("contact_methods", "value"): "kind",
    ("conversations", "crew_id"): "crew_id",
    ("conversations", "session_id"): "session_id",
}
"""Among which rows values can be passed on: others would be of another kind, or name a session twice."""


class Exchange(NamedTuple):
    """What happens to a table: statements that prepare it, and those that follow."""

    prepare: list[str]
    steps: list[str]


def swapped(table: str) -> Exchange:
    new = f"create table app.new (like app.{table} including all)"
    return Exchange([], [new, *filled(table)])


def partitioned_by_hash(table: str) -> Exchange:
    new = f"create table app.new (like app.{table} including defaults including identity, primary key (id))"
    parts = [
        f"create table app.{table}_{part} partition of app.new for values with (modulus 2, remainder {part})"
        for part in (0, 1)
    ]
    return Exchange([], [f"{new} partition by hash (id)", *parts, *filled(table)])


def partitioned_by_time(table: str) -> Exchange:
    new = (
        f"create table app.new (like app.{table} including defaults including identity) partition by range (created_at)"
    )
    parts = [
        f"create table app.{table}_early partition of app.new for values from (minvalue) to ('2026-03-10')",
        f"create table app.{table}_late partition of app.new default",
    ]
    return Exchange([], [new, *parts, *filled(table)])


def filled(table: str) -> list[str]:
    return [
        f"insert into app.new overriding system value select * from app.{table}",
        DIFFERENT[table].format("app.new"),
        f"alter table app.{table} rename to {table}_old",
        f"alter table app.new rename to {table}",
    ]


def made_again(table: str) -> Exchange:
    return Exchange(
        [],
        [
            f"create table public.kept as select * from app.{table}",
            DIFFERENT[table].format("public.kept"),
            f"create table public.form (like app.{table} including all)",
            f"drop table app.{table} cascade",
            f"create table app.{table} (like public.form including all)",
            f"insert into app.{table} overriding system value select * from public.kept on conflict do nothing",
        ],
    )


def column_exchanged(table: str, column: str, kind: str) -> Exchange:
    """Every row gets the value of the next among its like; then the columns are exchanged by rename."""
    rows = f"(partition by {ALIKE.get((table, column), 'true')} order by id)"
    fill = (
        f"update app.{table} as target set new = next.value from (select id, "
        f"coalesce(lead({column}) over {rows}, first_value({column}) over {rows})"
        f"::{TYPES.get(kind, kind)} as value from app.{table}) as next where target.id = next.id"
    )
    renamed = [
        f"alter table app.{table} rename {column} to former",
        f"alter table app.{table} rename new to {column}",
        f"alter table app.{table} alter former drop default, alter former drop not null",
    ]
    if column == "id":
        renamed.insert(0, f"alter table app.{table} drop constraint {table}_pkey cascade")
        renamed.append(f"alter table app.{table} add primary key (id), alter id set default gen_random_uuid()")
    return Exchange([f"alter table app.{table} add new {TYPES.get(kind, kind)}", fill], renamed)


WRONG_KEYS = "select from analytics.foreign_keys() where not is_right or is_wanted and not is_valid"
WAYS = {way.__name__: way for way in (swapped, partitioned_by_hash, partitioned_by_time, made_again)}
EXCHANGES = [(table, way) for table in DIFFERENT for way in WAYS] + [
    (table, column) for table, columns in COLUMNS.items() for column in columns
]
REPRESENTATIVES = {
    ("people", "swapped"),
    ("conversations", "partitioned_by_time"),
    ("messages", "made_again"),
    ("people", "phone"),
    (HISTORIES, "session_id"),
    ("messages", "sent_at"),
}


def matrix() -> Iterator[object]:
    for table, way in EXCHANGES:
        for is_one in (True, False):
            is_wide = (table, way) not in REPRESENTATIVES or not is_one
            marks = [pytest.mark.wide] if is_wide else []
            yield pytest.param(
                table, way, is_one, marks=marks, id=f"{table}-{way}-{'at once' if is_one else 'in steps'}"
            )


@pytest.fixture
def company(world: World) -> World:
    """Two of everything, and no foreign keys between the application's tables, which would forbid most exchanges."""
    world.execute(
        "do $$ declare key record; begin for key in select conrelid::regclass as name, conname from pg_constraint "
        "where contype = 'f' and connamespace = 'app'::regnamespace loop "
        "execute format('alter table %s drop constraint %I', key.name, key.conname); end loop; end $$"
    )
    for crew, client in (("A", "C1"), ("B", "C1")):
        world.crew(crew, client=client)
        for session, day in (("s1", 0), ("s2", 1), ("4915112345678", 2)):
            world.say(session, "human", at(day, 9), crew)
            world.say(session, "ai", at(day, 10), crew)
    ana = world.person(email="ana@example.com", phone="+4915112345678", linkedin_urn="urn:li:member:7")
    world.person(email="ben@b.example", phone="+49301234567")
    world.person("C2", email="shared@example.com")
    contacts = [
        world.contact("ana@example.com"),
        world.contact("ben@b.example"),
        world.contact("shared@example.com"),
        world.contact("urn:li:member:7", kind="linkedin"),
        world.contact("+49 (0)30 1234567", ana, kind="phone"),
    ]
    project = world.project()
    world.execute("insert into app.users (name) values ('Kim')")
    for number, contact in enumerate(contacts):
        talk = world.conversation(
            "email" if number % 2 else "whatsapp",
            client="C1" if number else "C2",
            project_id=project if number % 2 else None,
            closed_at=at(number) if number % 2 else None,
            started_at=at(-number),
        )
        message = world.message(talk, "inbound", at(number, 9))
        world.message(talk, "outbound", at(number, 10))
        for role, party in (("from", contact), ("cc", contacts[number - 1])):
            world.insert("message_recipients", message_id=message, contact_method_id=party, role=role)
    world.project(talk)
    ticks(world)
    return world


def ticks(world: World) -> None:
    world.tick()
    world.sync()


def ticks_that_may_fail(world: World) -> None:
    with suppress(psycopg.Error, ConvoPipelinesError, EveryCrewFailedError):
        ticks(world)


def exchange_of(world: World, table: str, way: str) -> Exchange:
    if way in WAYS:
        return WAYS[way](table)
    [kind] = world.execute(
        "select format_type(atttypid, null) as name from pg_attribute where attrelid = %s::regclass and attname = %s",
        f"app.{table}",
        way,
    )
    return column_exchanged(table, way, kind["name"])


@pytest.mark.representatives(3)
@pytest.mark.parametrize(("table", "way", "is_one"), matrix())
def test_what_has_the_name_is_read(company: World, table: str, way: str, is_one: bool) -> None:
    prepare, steps = exchange_of(company, table, way)
    for statement in prepare:
        company.execute(statement)
    ticks(company)
    if is_one:
        company.execute("; ".join(["begin", *steps, "commit"]))
    else:
        for statement in steps:
            company.execute(statement)
            ticks_that_may_fail(company)
    ticks(company)
    oracle.assert_right(company)
    oracle.assert_links_right(company)
    assert company.reconcile().drift.changed == 0
    company.say("s7", "human", at(3), "B")
    company.address(company.conversation(), company.contact("dan@example.com", company.person(email="dan@example.com")))
    ticks(company)
    oracle.assert_right(company)
    oracle.assert_links_right(company)
    assert views_of_former_tables(company) == []


def test_what_a_compare_finds_in_an_exchanged_table_is_no_drift(company: World) -> None:
    company.execute("create table app.other (like app.histories_a)")
    company.execute("insert into app.other select * from app.histories_a")
    company.execute("insert into app.other values (0, 'new', '{}', now())")
    company.execute("alter table app.histories_a rename to former; alter table app.other rename to histories_a")
    done = compare(company.warehouse, HISTORIES_SESSIONS, logging.getLogger())
    assert (done.outcome.counts.inserted, done.outcome.drift.changed) == (1, 0)


def test_a_process_of_an_older_version_does_not_bring_back_its_views(company: World) -> None:
    """As one that runs while the database is upgraded."""
    newer = "update analytics.schema_migration_code set checksum = checksum || %s where name like 'view %%'"
    comment = "select obj_description('analytics.person_names'::regclass) as said"
    company.execute("comment on view analytics.person_names is 'Of a newer version. Personal data.'")
    company.execute(newer, " newer")
    for statement in swapped("people").steps:
        company.execute(statement)
    with pytest.raises(OtherVersionError, match="restart it with the version that was installed"):
        ticks(company)
    assert company.execute(comment) == [{"said": "Of a newer version. Personal data."}]
    company.execute(newer.replace("checksum || %s", "replace(checksum, %s, '')"), " newer")
    ticks(company)
    oracle.assert_right(company)
    oracle.assert_links_right(company)
    assert company.execute(comment) == [{"said": "Names and addresses of persons. Personal data."}]


def views_of_former_tables(world: World) -> list[dict[str, object]]:
    """Views that read a table or a column by another name than its own."""
    return world.execute(
        "select distinct ev_class::regclass::text as view from pg_rewrite "
        "join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid and refobjsubid > 0 "
        "left join pg_attribute on attrelid = refobjid and attnum = refobjsubid "
        "where ev_class in (select oid from pg_class where relnamespace = 'analytics'::regnamespace) "
        "and (refobjid::regclass::text like %s or attname = 'former')",
        "%\\_old",
    )


def test_a_former_table_can_be_dropped_once_a_tick_has_seen_the_new_one(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: company.url)
    exchange(company, "people")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        company.execute("drop table app.people_old")
    ticks(company)
    company.execute("drop table app.people_old")
    assert [failure for failure in validation.validate() if "analytics" in failure] == []


def test_an_exchange_just_after_views_were_bound_is_noticed(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original, is_due = binding.bind_views, [True]

    def bind_views(connection: Connection) -> None:
        original(connection)
        if is_due:
            is_due.clear()
            company.execute("alter table app.people_old rename to people_older_old")
            exchange(company, "people")

    monkeypatch.setattr(binding, "bind_views", bind_views)
    exchange(company, "people")
    ticks(company)
    assert views_of_former_tables(company) == is_due == []
    company.address(company.conversation(), company.contact("dan@example.com", company.person(email="dan@example.com")))
    ticks(company)
    oracle.assert_right(company)
    oracle.assert_links_right(company)


def test_a_foreign_key_that_could_not_be_bound_is_bound_by_a_later_tick(company: World) -> None:
    with psycopg.connect(company.url) as analyst:
        analyst.execute("select from analytics.people_conversations")
        exchange(company, "people")
        ticks(company)
        assert company.execute(WRONG_KEYS)
    company.address(company.conversation(), company.contact("dan@example.com", company.person(email="dan@example.com")))
    ticks(company)
    assert company.execute(WRONG_KEYS) == []
    oracle.assert_links_right(company)
    company.execute("drop table app.people_old")


def test_whoever_reads_a_view_for_long_is_named(company: World) -> None:
    exchange(company, "people")
    with psycopg.connect(company.url) as analyst:
        analyst.execute("select from analytics.person_timeline")
        with pytest.raises(TableLockedError, match=f"locked by pid {analyst.info.backend_pid} of"):
            company.sync()
    ticks(company)
    oracle.assert_links_right(company)


@pytest.mark.parametrize(
    ("made", "obstacle"),
    [
        ("create unlogged table app.new (like app.people including all)", "it is unlogged"),
        ("create table app.new (like app.people including defaults)", "it has no unique key (id)"),
    ],
)
def test_a_table_that_no_foreign_key_can_refer_to_does_without(company: World, made: str, obstacle: str) -> None:
    _, *steps = swapped("people").steps
    company.execute("; ".join(["begin", made, *steps, "commit"]))
    ticks(company)
    company.execute("delete from app.people where email = 'ben@b.example'")
    ticks(company)
    oracle.assert_links_right(company)
    found = company.execute("select distinct obstacle from analytics.foreign_keys() where parent = 'people'")
    assert found == [{"obstacle": obstacle}]
    assert company.execute(WRONG_KEYS) == []


def test_a_table_of_another_owner_does_without_a_foreign_key(server: Server) -> None:
    url = server.create()
    with psycopg.connect(url, autocommit=True) as admin:
        for role in ("owner_of_ours", "owner_of_theirs"):
            admin.execute(f"drop role if exists {role}")
            admin.execute(f"create role {role} login")
        admin.execute("grant create on database " + url.rpartition("/")[2].partition("?")[0] + " to owner_of_ours")
        ours = make_url(url).set(username="owner_of_ours").render_as_string(hide_password=False)
        upgrade.up(url=ours)
        world = World(Warehouse(ours))
        world.address(world.conversation(), world.contact("ana@example.com", world.person(email="ana@example.com")))
        ticks(world)
        admin.execute(
            "begin; create table app.new (like app.people including all); "
            "insert into app.new select * from app.people; "
            "alter table app.people rename to people_old; alter table app.new rename to people; "
            "alter table app.people owner to owner_of_theirs; grant select on app.people to owner_of_ours; commit"
        )
        ticks(world)
        oracle.assert_links_right(world)
        found = world.execute("select distinct obstacle from analytics.foreign_keys() where parent = 'people'")
        assert found == [{"obstacle": "its owner has not granted references on it to owner_of_ours"}]
        world.close()


def exchange(world: World, table: str) -> None:
    world.execute("; ".join(["begin", *swapped(table).steps, "commit"]))
