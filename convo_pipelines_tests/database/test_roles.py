"""Each role can do its work, and nothing beyond it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import addresses
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.migrations import runner, upgrade, validation
from convo_pipelines.database.rights import MissingRightError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture
from convo_pipelines.lake import following
from convo_pipelines.model.tables import DERIVED_TABLES, REGISTRY
from convo_pipelines.operations import alerts, health
from convo_pipelines.serving import report
from convo_pipelines.serving.follow import Follower
from convo_pipelines.settings import Settings
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, both_servers, both_servers_if_wide, company
from convo_pipelines_tests.database.test_follow import settle, wait_until
from convo_pipelines_tests.world import World, at


@pytest.fixture
def world(server: Server) -> Iterator[World]:
    """A world written by its owner, and refreshed by convo_pipeline."""
    url = server.create(template="template_app")
    upgrade.up(("roles",), url=url)
    world = World(Warehouse(url))
    world.warehouse = Warehouse(as_role(world, "convo_pipeline"))
    yield world
    world.close()


@pytest.fixture
def connected_as_pipeline(world: World, environment: Callable[..., Settings]) -> Iterator[None]:
    """The commands connect as convo_pipeline."""
    environment(CONVO_DATABASE_URL=world.warehouse.url, COLUMNS="250")
    addresses.database_url.cache_clear()
    yield
    addresses.database_url.cache_clear()


def as_role(world: World, role: str) -> str:
    return make_url(world.url).set(username=role).render_as_string(hide_password=False)


@both_servers_if_wide
def test_the_pipeline_has_the_lake_follow(world: World) -> None:
    company(world)
    followed = [table for table in DERIVED_TABLES if table.lake_day]
    for table in followed:
        following.begin(world.warehouse, table)
    for parent in ("conversations", "people", "clients"):
        world.execute(f"delete from app.{parent}")
    for table in followed:
        if table.rows.parents:
            assert world.execute(f"select from analytics.{table.log.name} where operation in ('update', 'delete')"), (
                table.name
            )
    following.end(world.warehouse)
    assert world.execute("select from analytics.lake_state") == []


@both_servers_if_wide
def test_the_pipeline_does_all_its_work_without_privileges_over_others(world: World) -> None:
    world.crew()
    world.say("4915112345678", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    person = world.person(phone="+49 151 12345678")
    world.address(world.conversation(project_id=world.project()), world.contact("ana@example.com", person))
    world.tick()
    with psycopg.connect(world.url) as writer:
        writer.execute("insert into app.histories_a (session_id, message) values ('late', '{}')")
        world.tick()
        world.sync()
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.state()["mode"] == "captured"
    for code in "BC":
        world.crew(code)
    with world.warehouse.connection() as connection:
        new = fetch(connection, "engine/capture/differences", names=None)
        assert len(fetch(connection, "engine/capture/install_together", table_oids=[t["table_oid"] for t in new])) == 2
    world.execute("delete from app.message_recipients")
    world.sync()
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
    world.execute("delete from app.people")
    world.sync()
    oracle.assert_links_right(world)
    assert not any(check.severity.name == "ERROR" for check in world.checks().values() if not check.passed)
    with world.warehouse.connection() as connection:
        assert report.load(connection).unread_crews == []


@both_servers_if_wide
@pytest.mark.parametrize("is_dropped", [False, True])
def test_the_pipeline_binds_views_and_foreign_keys_to_a_new_table(world: World, is_dropped: bool) -> None:
    world.address(world.conversation(), world.contact("ana@example.com", world.person(email="ana@example.com")))
    world.tick()
    world.sync()
    former = "drop table app.former cascade;" if is_dropped else ""
    world.execute(
        "begin; create table app.new (like app.people including all); insert into app.new select * from app.people; "
        "update app.new set name = 'Ana'; "
        "alter table app.contact_methods drop constraint contact_methods_person_id_fkey; "
        f"alter table app.people rename to former; alter table app.new rename to people; {former} commit"
    )
    world.address(world.conversation(), world.contact("ben@example.com", world.person(email="ben@example.com")))
    world.tick()
    world.sync()
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
    assert world.execute("select from analytics.foreign_keys() where not (is_right and is_valid)") == []
    with psycopg.connect(as_role(world, "convo_analyst")) as analyst:
        assert analyst.execute("select count(*) from analytics.person_names where person_name = 'Ana'").fetchone() == (
            1,
        )


REFUSED = [
    ("convo_pipeline", "update app.conversations set subject = 'x'"),
    ("convo_pipeline", "delete from app.conversations"),
    ("convo_pipeline", "insert into app.conversations (channel) values ('email')"),
    ("convo_pipeline", "insert into app.conversations (channel, session_id) values ('crew', 's')"),
    ("convo_pipeline", "insert into app.conversations (channel, project_id) values ('crew', null)"),
    ("convo_pipeline", "insert into app.clients (client_code, name) values ('X', 'X')"),
    ("convo_pipeline", "update app.contact_methods set person_id = null"),
    ("convo_pipeline", "create table app.mine (id int)"),
    ("convo_pipeline", "select analytics.capture('app.schema_migrations')"),
    ("convo_pipeline", "truncate curation.participant_decisions"),
    ("convo_steward", "delete from curation.participant_decisions"),
    ("convo_steward", "update curation.participant_decisions set person_id = contact_method_id"),
    ("convo_steward", "update app.contact_methods set person_id = null"),
    ("convo_steward", "delete from analytics.people_conversations"),
    ("convo_observer", "select from app.people"),
    ("convo_observer", "select person_name from analytics.person_names"),
    ("convo_observer", "select value from analytics.contact_method_values"),
    ("convo_observer", "select session_id from analytics.conversation_summaries"),
    ("convo_observer", "select identifier from analytics.identifiers"),
    ("convo_observer", "select from curation.participant_decisions"),
    ("convo_analyst", "select from curation.participant_decisions"),
    ("convo_analyst", "select analytics.capture('app.messages')"),
    ("convo_analyst", "select from app.people"),
    ("convo_analyst", "select from app.conversations"),
    ("convo_analyst", "delete from analytics.people_conversations"),
    ("convo_analyst", "insert into analytics.clients_conversations select * from analytics.clients_conversations"),
    ("convo_analyst", "create table analytics.mine (id int)"),
]


@both_servers
def test_nothing_beyond_it(world: World) -> None:
    granted: list[tuple[str, str]] = []
    for role, statement in REFUSED:
        with psycopg.connect(as_role(world, role)) as connection:
            try:
                connection.execute(statement)
                granted.append((role, statement))
            except psycopg.errors.InsufficientPrivilege:
                pass
            connection.rollback()
    assert granted == []


def test_analysts_read_everything_of_analytics_and_what_comes_later(world: World) -> None:
    with psycopg.connect(as_role(world, "convo_pipeline")) as pipeline:
        pipeline.execute("create table analytics.later (id int)")
    world.execute("create table analytics.by_the_owner (id int)")
    with psycopg.connect(as_role(world, "convo_pipeline")) as pipeline:
        pipeline.execute("insert into analytics.by_the_owner values (1)")
    with psycopg.connect(as_role(world, "convo_analyst")) as analyst:
        relations = world.execute(
            "select relname from pg_class where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')"
        )
        for relation in relations:
            analyst.execute(f"select from analytics.{relation['relname']}")
    assert {"later", "by_the_owner", "people_conversations", "conversations_changes"} <= {
        row["relname"] for row in relations
    }


SAID_OF = r"""
select relname, attname, obj_description(class.oid, 'pg_class') as said,
    has_column_privilege('convo_observer', class.oid, attnum, 'select') as is_granted
from pg_class as class join pg_attribute as attribute on attrelid = class.oid
where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v') and attnum > 0 and not attisdropped
    and relname not like 'schema\_migration%'
"""
PERSONAL = {
    "added_by_name", "email", "example", "identifier", "last_error", "last_warning", "linkedin_urn", "person_name",
    "phone", "session_id", "subject", "value",
}  # fmt: skip


def test_observers_read_all_but_what_says_who_somebody_is(world: World) -> None:
    for column in world.execute(SAID_OF):
        is_open = not column["said"].endswith(("Internal.", "Personal data."))
        assert column["is_granted"] == (is_open and column["attname"] not in PERSONAL), column


GRANTED = """
select format('%%I.%%I', nspname, relname) as relation, array_agg(quote_ident(attname) order by attnum) as columns
from pg_class as class
join pg_namespace as schema on schema.oid = relnamespace
join pg_attribute on attrelid = class.oid and attnum > 0 and not attisdropped
where nspname in ('analytics', 'curation', 'app') and relkind in ('r', 'v')
    and has_schema_privilege(%s, schema.oid, 'usage') and has_column_privilege(%s, class.oid, attnum, 'select')
group by nspname, relname
"""


@both_servers_if_wide
def test_every_role_reads_what_it_was_granted(world: World) -> None:
    company(world)
    world.person("C2", email="ana@example.com")
    world.decide("ben@example.com", world.person())
    for session in ("ben@example.com", "+4915100000000", "s1", None):
        world.say(session, when=datetime.now(UTC))
    world.conversation(project_id=world.project())
    world.execute("drop index app.messages_sent_at")
    rest = "select session_id, message, created_at from app.histories_a where session_id is not null"
    world.execute(f"create view app.histories_a_of_no_crew as {rest}")
    for sender in ("nobody@example.com", "ben@example.com", "no address"):
        world.recipient(world.message(world.conversation(lead_id=uuid4(), customer_id=uuid4())), sender, "from")
    for number in range(10):  # question and answer at once, as n8n writes them
        world.say(f"at once {number}", "human", at(0, 9))
        world.say(f"at once {number}", "ai", at(0, 9))
    world.tick()
    world.sync()
    for role in ("convo_observer", "convo_analyst", "convo_steward", "convo_pipeline"):
        with psycopg.connect(as_role(world, role), autocommit=True) as reader:
            for granted in world.execute(GRANTED, role, role):
                for columns in (", ".join(granted["columns"]), *granted["columns"]):
                    reader.execute(f"select {columns} from {granted['relation']}").fetchall()
    views = world.execute(
        "select viewname from pg_views where schemaname = 'analytics' and viewname not like 'changed\\_%'"
    )
    assert [view for view in views if not world.execute(f"select from analytics.{view['viewname']} limit 1")] == []


@both_servers_if_wide
def test_stewards_decide_by_sql(world: World) -> None:
    ana, contact = world.person(), world.contact("ana@example.com")
    world.address(talk := world.conversation(), contact)
    world.sync()
    with psycopg.connect(as_role(world, "convo_steward")) as steward:
        [(found,)] = steward.execute("select contact_method_id from analytics.contact_method_values")
        [(person,)] = steward.execute("select person_id from analytics.person_names")
        steward.execute(
            "insert into curation.participant_decisions (contact_method_id, person_id, decision, reason) "
            "values (%s, %s, 'link', 'she told us')",
            [found, person],
        )
    world.sync()
    assert world.execute("select person_id, conversation_id from analytics.people_conversations") == [
        {"person_id": ana, "conversation_id": talk}
    ]
    assert world.execute("select decided_by from curation.participant_decisions") == [{"decided_by": "convo_steward"}]
    with psycopg.connect(as_role(world, "convo_steward")) as steward:
        steward.execute("update curation.participant_decisions set revoked_at = now()")
    world.sync()
    assert world.execute("select from analytics.people_conversations") == []
    oracle.assert_links_right(world)
    with psycopg.connect(as_role(world, "convo_steward")) as steward:
        steward.execute(
            "insert into curation.participant_decisions (identifier, person_id, decision, reason) "
            "values ('ana@example.com', %s, 'link', 'she told us')",
            [ana],
        )
    world.sync()
    oracle.assert_links_right(world)
    assert len(world.execute("select from analytics.people_conversations")) == 1


@both_servers_if_wide
def test_a_steward_decides_in_no_other_name(world: World) -> None:
    decided = (
        "insert into curation.participant_decisions (contact_method_id, person_id, decision, reason, decided_by) "
        "values (%s, %s, 'link', 'she told us', 'somebody else')"
    )
    given, by = "update curation.participant_decisions set revoked_at = now(), revoked_by = 'somebody else'", []
    for role in ("convo_steward", "convo_pipeline", "postgres"):
        with psycopg.connect(as_role(world, role)) as session:
            session.execute(decided, [world.contact(f"{role}@example.com"), world.person()])
            session.execute(given + " where revoked_at is null")
        by.append(
            world.execute("select decided_by, revoked_by from curation.participant_decisions order by decided_at")[-1]
        )
    assert [tuple(row.values()) for row in by] == [
        ("convo_steward", "convo_steward"), ("somebody else", "somebody else"), ("somebody else", "somebody else")
    ]  # fmt: skip


LOST = {
    "insert on analytics.session_changes": "writes analytics.session_changes, may not: grant it insert",
    "insert on analytics.conversations_changes": "writes analytics.conversations_changes, may not: grant it insert",
    "insert on analytics.messages_changes": "writes analytics.messages_changes, may not: grant it insert",
    "insert on analytics.message_recipients_changes": "writes analytics.message_recipients_changes, may not: grant it",
    "insert on analytics.people_changes": "writes analytics.people_changes, may not: grant it insert",
    "insert on analytics.projects_changes": "writes analytics.projects_changes, may not: grant it insert",
    "usage on schema analytics": "may not use schema analytics: grant it usage",
}


@pytest.mark.representatives(2)
@both_servers_if_wide
@pytest.mark.parametrize("right", LOST)
def test_writers_go_on_without_the_right_to_log_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, right: str
) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    write_everything(world, "before")
    world.tick()
    world.sync()
    with psycopg.connect(world.url) as late:
        write_everything(world, "granted", late)
        world.execute(f"revoke {right} from convo_pipeline")
        assert LOST[right] in "; ".join(validation.validate())
        write_everything(world, "lost")
        write_everything(world, "lost and late", late)
        world.execute(f"grant {right} to convo_pipeline")
        write_everything(world, "granted again")
        world.tick()
        world.sync()
        late.rollback() if right.startswith("usage") else late.commit()
    world.tick()
    world.sync()
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
    assert not world.has_news()
    assert list(validation.validate()) == []


def write_everything(world: World, name: str, connection: psycopg.Connection | None = None) -> None:
    """A row in each table that is read, as one transaction or as part of one."""
    execute = (connection or world.connection).execute
    execute(
        "with client as (insert into app.clients (client_code, name) values (%(name)s, '') returning id), "
        "person as (insert into app.people (client_id, name, email) "
        "    select id, '', replace(%(name)s, ' ', '') || '@example.com' from client returning id), "
        "method as (insert into app.contact_methods (kind, value) "
        "    values ('email', replace(%(name)s, ' ', '') || '@example.com') returning id), "
        "owner as (insert into app.users (name) values ('') returning id), "
        "project as (insert into app.projects (user_id, name) select id, '' from owner returning id), "
        "talk as (insert into app.conversations (channel, client_id, project_id) "
        "    select 'email', client.id, project.id from client, project returning id), "
        "message as (insert into app.messages (conversation_id, direction, sent_at) "
        "    select id, 'inbound', '2026-03-10' from talk returning id) "
        "insert into app.message_recipients (message_id, contact_method_id, role) "
        "select message.id, method.id, 'to' from message, method",
        {"name": name},
    )
    if not world.tables:
        world.crew()
    execute("insert into app.histories_a (session_id, message, created_at) values (%s, '{}', '2026-03-10')", [name])


@both_servers_if_wide
def test_what_writes_a_log_belongs_to_who_owns_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    assert list(validation.validate()) == []
    world.execute("alter function analytics.log_messages() owner to postgres")
    told = "analytics.log_messages() belongs to postgres, and analytics.messages_changes to convo_pipeline"
    assert told in "; ".join(validation.validate())
    assert told in "; ".join(finding.found for finding in health.look(world.warehouse))
    with pytest.raises(capture.CaptureError, match="give both to one role"):
        capture.switch(world.warehouse, REGISTRY, [], on=True)
    upgrade.up(("roles",), url=world.url)
    assert list(validation.validate()) == []


NEEDED = r"""
select format('%s on %s%s', privilege, kind, subject) as right, subject
from (
    select 'select' as privilege, '' as kind, 'app.' || name as subject
    from unnest(array['clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages',
                      'message_recipients', 'projects', 'users', 'histories_a']) as name
    union all
    select format('insert (%s)', name), '', 'app.conversations'
    from unnest(array['id', 'channel', 'external_id', 'client_id', 'crew_id', 'session_id', 'started_at']) as name
    union all
    select 'select', '', 'curation.participant_decisions'
    union all
    select privilege, '', 'curation.project_assignments' from unnest(array['select', 'delete']) as privilege
    union all
    select privilege, '', oid::regclass::text
    from pg_class cross join unnest(array['select', 'insert', 'update', 'delete']) as privilege
    where relnamespace = 'analytics'::regnamespace and relkind = 'r' and relname !~ '^schema_migration'
    union all
    select 'select', '', oid::regclass::text from pg_class
    where relnamespace = 'analytics'::regnamespace and relkind = 'v'
    union all
    select 'usage', 'schema ', name from unnest(array['app', 'analytics', 'curation']) as name
    union all
    select 'execute', 'function ', oid::regprocedure::text
    from pg_proc
    where pronamespace = 'analytics'::regnamespace and (prosecdef or provolatile <> 'v')
        and prorettype <> 'trigger'::regtype
    union all
    select 'temporary', 'database ', quote_ident(current_database())
) as needed (privilege, kind, subject)
"""


def test_each_right_that_ticks_need_is_named_with_the_statement_that_grants_it(world: World) -> None:
    world.crew()
    world.say("s1")
    world.tick()
    world.sync()
    with psycopg.connect(as_role(world, "convo_pipeline"), autocommit=True) as pipeline:
        assert capture.missing_rights(pipeline, REGISTRY) == []
        wanted = world.execute(NEEDED)
        for needed in wanted:
            world.execute(f"revoke {needed['right']} from convo_pipeline, public")
        named = set[str]()
        while missing := capture.missing_rights(pipeline, REGISTRY):  # without some, the others are not seen
            named |= {right.subject.split("(")[0] for right in missing}
            for right in missing:
                world.execute(right.run_this)
        assert named >= {needed["subject"].split("(")[0] for needed in wanted}
        world.execute("alter table app.people enable row level security")
        assert [right.run_this for right in capture.missing_rights(pipeline, REGISTRY)] == [
            "alter role convo_pipeline bypassrls"
        ]


@pytest.mark.usefixtures("connected_as_pipeline")
def test_a_right_that_goes_is_told_everywhere_and_the_tables_that_need_it_say_why_they_fail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "database_url", lambda: world.url)
    follower = Follower(world.warehouse)
    settle(follower)
    world.execute("revoke select on app.people from convo_pipeline")
    world.person(email="ana@example.com")
    for _ in range(3):
        follower.step()
    grant = "grant select on app.people to convo_pipeline"
    [found] = health.look(world.warehouse)
    assert (found.kind, found.subject) == ("a right is missing", "app.people")
    assert grant in found.remedy
    with world.warehouse.connection() as connection:
        alerts.observe(connection, [found])
    assert grant in world.execute("select remedy from analytics.alerts")[0]["remedy"]
    assert f"convo_pipeline may not select app.people: run `{grant}`" in list(validation.validate())
    failing = world.execute("select asset_key, last_error from analytics.refresh_state where last_error is not null")
    assert {row["last_error"] for row in failing} == {f"permission denied for table people: run `{grant}`"}
    assert {row["asset_key"] for row in failing} == {"participant_resolutions", "clients_conversations"}
    shown = CliRunner().invoke(main, ["status"]).output
    assert shown.count("permission denied for table people") == len(failing)
    assert "convo_pipeline may not select app.people" in shown
    follower.end()
    with pytest.raises(MissingRightError, match=grant):
        world.sync()
    world.execute(grant)
    wait_until(lambda: follower.step() and not world.execute(
        "select from analytics.refresh_state where last_error is not null"
    ))  # fmt: skip
    oracle.assert_links_right(world)
    assert health.look(world.warehouse) == []


@pytest.mark.usefixtures("connected_as_pipeline")
def test_health_names_what_keeps_it_from_looking(world: World) -> None:
    for right in ("usage on schema analytics", "select on analytics.refresh_state", "select on app.crews"):
        world.execute(f"revoke {right} from convo_pipeline")
        told = CliRunner().invoke(main, ["health"])
        assert told.exit_code == 1
        assert f"grant {right} to convo_pipeline" in told.output
        world.execute(f"grant {right} to convo_pipeline")


def test_the_owner_of_a_view_may_not_read_what_is_beneath(world: World) -> None:
    world.execute(
        "drop role if exists shop_owner; create role shop_owner; create schema own; "
        "create table own.users as select id, name, created_at, updated_at from app.users; "
        "alter table app.projects drop constraint projects_user_id_fkey; alter table app.users rename to users_before; "
        "create view app.users as select id, name, created_at, updated_at from own.users; "
        "alter view app.users owner to shop_owner; grant usage on schema own to shop_owner; "
        "grant select on app.users to convo_pipeline"
    )
    try:
        capture.sync(world.warehouse, REGISTRY)
        with world.warehouse.connection() as connection:
            assert [right.run_this for right in capture.missing_rights(connection, REGISTRY)] == [
                "grant select on own.users to shop_owner"
            ]
    finally:
        world.execute("drop owned by shop_owner cascade; drop role shop_owner")
