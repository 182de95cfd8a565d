"""Schemas come, go and come back; production applies only ours."""

import subprocess
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from alembic import command
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import migrations, warehouse
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import World, at


@pytest.fixture
def migrate(empty_database: str) -> object:  # noqa: ARG001
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["migrate", *arguments])

    return invoke


def tables(url: str, schema: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {
            row[0]
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = %s", [schema]
            )
        }


LISTING = """
select format('%s %s %s %s', relnamespace::regnamespace, relname, relowner::regrole,
    coalesce(relacl, acldefault('r', relowner)))
from pg_class where relnamespace::regnamespace::text in ('app', 'analytics')
union all select format('%s.%s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attacl,
    col_description(attrelid, attnum))
from pg_attribute join pg_class on pg_class.oid = attrelid
where relnamespace::regnamespace::text in ('app', 'analytics') and attnum > 0 and not attisdropped
union all select indexdef from pg_indexes where schemaname in ('app', 'analytics')
union all select pg_get_constraintdef(oid) from pg_constraint
where connamespace::regnamespace::text in ('app', 'analytics')
union all select pg_get_viewdef(viewname::regclass) from (
    select format('%I.%I', schemaname, viewname) as viewname from pg_views where schemaname = 'analytics'
) as views
union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select concat_ws(' ', oid::regprocedure, proowner::regrole, proacl, prosrc) from pg_proc
where pronamespace::regnamespace::text in ('app', 'analytics')
union all select format('%s %s', defaclrole::regrole, defaclacl) from pg_default_acl
order by 1
"""


AGAIN = "select replace(source, ' again', '') from analytics.conversation_changes where source like '% again'"


def catalog(url: str) -> str:
    """What `pg_dump --schema-only` says of the distribution's server; of the embedded, which has none, a listing."""
    with psycopg.connect(url) as connection:
        [(version,)] = connection.execute("select current_setting('server_version_num')::int / 10000").fetchall()
        program = Path(f"/usr/lib/postgresql/{version}/bin/pg_dump")
        if not program.exists():
            return "\n".join(row[0] for row in connection.execute(LISTING))
    dump = subprocess.run([program, "--schema-only", "-d", url], check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def up_to(name: str) -> None:
    [line] = [migration.line for migration in migrations.status() if migration.name == name]
    with migrations._connect() as connection:
        command.upgrade(migrations._config(connection, line), name)


def down_past(migrate: object, name: str) -> None:
    rolled_back = None
    while rolled_back != name:
        done = migrate("down", "--yes")
        assert done.exit_code == 0, done.output
        rolled_back = done.output.split()[-1]


@both_servers
def test_each_rollback_restores_the_catalog_exactly(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create schema analytics")
    for migration in migrations.status():
        before = catalog(empty_database)
        up_to(migration.name)
        after = catalog(empty_database)
        assert migrate("validate").exit_code == 0
        assert migrate("down", "--yes").output.endswith(f"rolled back {migration.name}\n")
        assert catalog(empty_database) == before != after
        up_to(migration.name)
        assert catalog(empty_database) == after


@both_servers
def test_two_open_conversations_of_a_lead_are_listed_and_nothing_is_picked(
    migrate: object, empty_database: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create schema analytics")
    for migration in migrations.status():
        if migration.name < "0007":
            up_to(migration.name)
    with psycopg.connect(empty_database) as connection:
        connection.execute("alter table app.conversations add closed_at timestamptz")
        connection.execute(
            "insert into app.conversations (channel, lead_id) select 'email', %s from generate_series(1, 3)",
            [UUID(int=7)],
        )
    refused = migrate("up")
    assert refused.exit_code == 1
    assert "1 leads have more than one open conversation" in refused.output
    assert f"lead {UUID(int=7)}: conversations" in refused.output
    assert "update app.conversations as c set closed_at = now()" in refused.output.replace("\n", " ")
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(closed_at) from app.conversations").fetchone() == (0,)
        resolve = (
            "update app.conversations as c set closed_at = now() where"
            + refused.output.replace("\n", " ").split("closed_at = now() where")[1].split(";")[0]
        )
        connection.execute(resolve)
    assert migrate("up").exit_code == 0
    assert migrate("validate").exit_code == 0
    down_past(migrate, "0007_conversation_lifecycle")
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(closed_at) from app.conversations").fetchone() == (2,)


@both_servers
def test_an_index_whose_build_was_interrupted_is_built_again(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    down_past(migrate, "0007_conversation_lifecycle")
    build = (
        "create unique index concurrently conversations_one_open_per_lead on app.conversations (lead_id) "
        "where closed_at is null"
    )
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("alter table app.conversations add closed_at timestamptz")
        connection.execute(
            "insert into app.conversations (channel, lead_id) select 'email', %s from generate_series(1, 2)",
            [UUID(int=7)],
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(build)
        connection.execute("delete from app.conversations")
        states = "select indisvalid from pg_index where indexrelid = 'app.conversations_one_open_per_lead'::regclass"
        assert connection.execute(states).fetchone() == (False,)
        assert migrate("up").exit_code == 0
        assert connection.execute(states).fetchone() == (True,)


def test_up_and_down_and_up_again(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    assert "conversation_summaries" in tables(empty_database, "analytics")
    assert migrate("validate").exit_code == 0
    known = [migration.name for migration in migrations.status()]
    names = [migrate("down", "--yes").output.split()[-1] for _ in known]
    roles = [migration.name for migration in migrations.status() if migration.line == "roles"]
    assert names == [*sorted(set(known) - set(roles), reverse=True), *["applied"] * len(roles)]
    assert tables(empty_database, "analytics") == tables(empty_database, "app") == set()
    assert migrate("up").exit_code == 0
    assert migrate("validate").exit_code == 0


def test_a_rollback_leaves_no_watermark_of_a_table_that_is_gone(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    relation_of = {table.name: table.target for table in DERIVED_TABLES}
    with psycopg.connect(empty_database, autocommit=True) as connection:
        for table in DERIVED_TABLES:
            connection.execute(
                "insert into analytics.refresh_state (asset_key, follows) values (%s, '{}')", [table.name]
            )
            connection.execute(
                "insert into analytics.conversation_changes (source, conversation_id, operation) "
                "values (%s, gen_random_uuid(), 'update')",
                [table.retry_source],
            )
        while "refresh_state" in tables(empty_database, "analytics"):
            for query in ("select asset_key from analytics.refresh_state", AGAIN):
                for (name,) in connection.execute(query):
                    known = connection.execute("select to_regclass(%s)", [relation_of[name]]).fetchone()
                    assert known != (None,), f"{name} is gone, but not what is remembered of it"
            assert migrate("down", "--yes").exit_code == 0


def test_only_analytics_leaves_app_to_its_owner(migrate: object, empty_database: str) -> None:
    assert migrate("up", "--only", "app").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute("drop table app.schema_migrations")  # as in production, where app is not ours
    assert migrate("up", "--only", "analytics").exit_code == 0
    assert "histories_sessions" in tables(empty_database, "analytics")
    assert "schema_migrations" not in tables(empty_database, "app")


def test_an_app_schema_of_the_application_is_left_alone(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create table app.clients (id uuid)")
    result = migrate("up")
    assert tables(empty_database, "app") == {"clients"}
    assert result.exit_code == 1
    assert 'relation "app.crews" does not exist' in result.output


def test_a_dropped_analytics_schema_is_simply_built_again(migrate: object, empty_database: str) -> None:
    migrate("up")
    with psycopg.connect(empty_database) as connection:
        connection.execute("drop schema analytics cascade")
    assert migrate("up").exit_code == 0
    assert "histories_sessions" in tables(empty_database, "analytics")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("drop index app.messages_sent_at", "messages.sent_at"),
        ("drop index analytics.session_changes_xid", "session_changes"),
        ("alter table analytics.message_changes replica identity default", "message_changes"),
        ("drop function analytics.log_sessions cascade", "log_sessions"),
        ("create index messages_updated_at on app.messages (updated_at)", "messages_updated_at"),
        ("comment on column analytics.histories_sessions.ai_count is null", "histories_sessions.ai_count"),
        ("alter table analytics.histories_sessions drop constraint histories_sessions_pkey", "histories_sessions"),
        ("alter table app.messages drop column direction", "messages.direction"),
        ("drop index analytics.clients_conversations_conversation_id", "clients_conversations"),
        (
            "alter table analytics.people_conversations drop constraint people_conversations_person_id_fkey",
            "people_conversations",
        ),
        (
            "alter table analytics.project_conversations drop constraint project_conversations_conversation_id_key",
            "project_conversations (conversation_id)",
        ),
        ("drop index app.projects_conversation_ids", "projects.conversation_ids"),
        ("drop index app.conversations_one_open_per_lead", "a second open conversation of a lead is not refused"),
        ("drop index app.messages_recency", "no index serves: select * from app.messages"),
        ("drop index app.conversations_recency", "no index serves: select * from app.conversations"),
    ],
)
def test_validation_can_fail(migrate: object, empty_database: str, damage: str, complaint: str) -> None:
    migrate("up")
    with psycopg.connect(empty_database) as connection:
        connection.execute(damage)
    result = migrate("validate")
    assert result.exit_code == 1
    assert complaint in result.output.replace("\n", "")


@both_servers
def test_an_upgrade_from_watermarks_keeps_the_archive_and_builds_once(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create schema analytics")
    for migration in migrations.status():
        if migration.name < "0010" and migration.line != "roles":
            up_to(migration.name)
    world = World(Warehouse(empty_database))
    crew = world.crew()
    world.say("new", when=at(5))
    world.address(world.conversation(), world.contact("ana@example.com", world.person()))
    for session, day in (("pruned", "2026-03-01"), ("stale", "2026-03-15")):
        world.execute(
            "insert into analytics.histories_sessions (crew_id, session_id, activity_date, message_count, human_count, "
            "ai_count, first_message_at, last_message_at) values (%s, %s, %s, 4, 4, 0, %s, %s)",
            *(crew, session, day, day, day),
        )
    world.execute(
        "insert into analytics.crew_discovery_state (crew_id, histories_table_name, watermark_id, archived_before) "
        "values (%s, 'histories_a', 1, '2026-03-10')",
        crew,
    )
    migrations.up(("analytics",), url=empty_database)
    world.tick()
    world.sync()
    days = world.execute("select session_id, archived_at is not null as is_archive from analytics.histories_sessions")
    assert {(day["session_id"], day["is_archive"]) for day in days} == {("new", False), ("pruned", True)}
    oracle.assert_links_right(world)
    assert world.reconcile().repairs.changed == 0
    world.close()


def test_a_migration_waits_for_a_lock_only_so_long_and_names_who_holds_it(
    migrate: object, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrate("up").exit_code == 0
    down_past(migrate, "0026_names")
    monkeypatch.setattr(warehouse, "LOCK_SECONDS", 1)
    with psycopg.connect(empty_database) as analyst:
        analyst.execute("select from analytics.participant_resolutions")
        refused = migrate("down")
        pid = analyst.info.backend_pid
    assert refused.exit_code == 1
    assert f"analytics.participant_resolutions is locked by pid {pid} of" in " ".join(refused.output.split())
    assert "let them end, and try again" in " ".join(refused.output.split())
    assert migrate("down", "--yes").exit_code == 0
    assert migrate("up").exit_code == 0
