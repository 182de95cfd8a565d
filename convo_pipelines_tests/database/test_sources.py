"""Sample data and imports: what comes in, what is turned away, and why."""

from datetime import date
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import main
from convo_pipelines.sources import n8n, sample_data
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World, at

END = date(2026, 3, 20)
SMALL = sample_data.Sizes(crews=3, sessions=30, conversations=20, people=20, projects=4, days=10)
TABLES = [
    "clients",
    "crews",
    "people",
    "contact_methods",
    "conversations",
    "messages",
    "message_recipients",
    "projects",
]


def contents(world: World, table: str) -> list[tuple[object, ...]]:
    rows = world.execute(f"select * from app.{table}")
    return sorted(str([value for key, value in row.items() if key not in ("updated_at",)]) for row in rows)


def test_the_same_seed_gives_the_same_company(new_world: object) -> None:
    one, two, other = new_world(), new_world(), new_world()
    for world, seed in ((one, 1), (two, 1), (other, 2)):
        sample_data.load(world.warehouse, SMALL, seed, END)
        world.execute("set session_replication_role = replica")
        for table in TABLES:
            world.execute(f"update app.{table} set created_at = '2026-01-01'")
    tables = [*TABLES, "histories_crew_01"]
    assert [contents(one, table) for table in tables] == [contents(two, table) for table in tables]
    assert contents(one, "messages") != contents(other, "messages")


def test_sample_data_is_summarized_exactly(world: World) -> None:
    sample_data.load(world.warehouse, SMALL, 1, END)
    world.backfill(date(2026, 3, 1), date(2026, 4, 10))
    oracle.assert_right(world)


def test_sample_data_has_every_kind_of_participant_and_drift(world: World) -> None:
    sizes = sample_data.Sizes(crews=5, sessions=100, conversations=100, people=100, projects=8, days=10)
    sample_data.load(world.warehouse, sizes, 1, END)
    world.tick()
    world.sync()

    def kinds(column: str, table: str) -> set[str]:
        return {row[column] for row in world.execute(f"select distinct {column} from analytics.{table}")}

    assert kinds("status", "participant_resolutions") == {"resolved", "ambiguous", "unmatched", "invalid"}
    assert kinds("method", "participant_resolutions") == {"manual", "email", "phone", "linkedin", None}
    assert kinds("kind", "project_link_inconsistencies") == {"stale_id", "project_mismatch", "missing_from_array"}
    assert world.execute(
        "select from analytics.people_conversations join app.conversations on conversations.id = conversation_id "
        "where channel = 'crew'"
    )
    failed = {name: check.severity.name for name, check in world.checks().items() if not check.passed}
    assert set(failed.values()) == {"WARN"}


def test_sample_data_never_mixes_with_real_data(world: World) -> None:
    world.client()
    with pytest.raises(sample_data.NotEmptyError, match=r"app\.clients already has rows"):
        sample_data.load(world.warehouse, SMALL, 1, END)


def test_an_import_loads_what_can_be_read_and_names_the_lines_that_cannot(world: World, tmp_path: Path) -> None:
    world.crew("A", create=False)
    file = tmp_path / "export.csv"
    file.write_text(
        "session_id,message,created_at\n"
        's1,"{""type"": ""human""}",2026-03-10T12:00:00+00:00\n'
        's1,"{""type"": ""ai"",\n ""content"": ""two lines""}",2026-03-10T14:00:00+01:00\n'
        "s1,{not json,2026-03-10T12:00:00+00:00\n"
        's1,"{""type"": ""ai""}",yesterday\n'
        ',"{""type"": ""ai""}",2026-03-10T12:00:00+00:00\n'
        's1,"{""content"": ""\\u0000""}",2026-03-10T12:00:00+00:00\n'
        's2,"{""type"": ""human""}",2026-03-10T15:00:00\n'
        "s2\n"
    )
    result = n8n.import_csv(world.warehouse, file, "A")
    assert result.loaded == 3
    assert [line for line, _ in result.rejected] == [5, 6, 7, 8, 10]
    reasons = dict(result.rejected)
    assert "message is not JSON" in reasons[5]
    assert "'yesterday' is not an ISO 8601 time" in reasons[6]
    assert "session_id is empty" in reasons[7]
    assert "Unicode" in reasons[8]
    assert "message, created_at is empty" in reasons[10]
    world.tick()
    oracle.assert_right(world)
    times = [row["last_message_at"] for row in world.execute("select * from analytics.histories_sessions order by 2")]
    assert times == [at(0, 13), at(0, 15)]


def test_a_corrected_export_is_imported_again(world: World, tmp_path: Path) -> None:
    world.crew("A", create=False)
    file = tmp_path / "export.csv"
    row = '{},"{{""type"": ""human"",  ""content"": ""{}""}}",2026-03-10T1{}:00:00+00:00\n'
    rows = [row.format(*values) for values in (("s1", "a", 2), ("s1", "a", 2), ("s2", "b", 2), ("s1", "c", 3))]

    def imported(*rows: str) -> tuple[int, int, int]:
        file.write_text("".join(["session_id,message,created_at\n", *rows]))
        result = n8n.import_csv(world.warehouse, file, "A")
        return result.loaded, result.there, len(result.rejected)

    assert imported(*rows, "s3,oops,2026-03-10T12:00:00+00:00\n") == (4, 0, 1)
    assert imported(*rows, row.format("s3", "oops", 2)) == (1, 4, 0)
    assert imported(*rows, *rows, row.format("s1", "a", 2)) == (5, 4, 0)
    assert imported(row.format("S1", "a", 2), row.format("s1", "A", 2), row.format("s1", "a", 4)) == (3, 0, 0)
    world.execute("alter table app.histories_a add check (session_id <> 's9')")
    with pytest.raises(psycopg.errors.CheckViolation):
        imported(row.format("s8", "a", 2), row.format("s9", "a", 2))
    world.tick()
    oracle.assert_right(world)
    assert len(world.execute("select from app.histories_a")) == 13


def test_an_import_needs_its_columns_and_its_crew(world: World, tmp_path: Path) -> None:
    world.crew()
    file = tmp_path / "export.csv"
    file.write_text("session,message\n")
    with pytest.raises(ValueError, match="has no column session_id, created_at"):
        n8n.import_csv(world.warehouse, file, "A")
    for header, why in (
        ("session_id;message;created_at\n", "separated by semicolons: save it with commas"),
        ("sep=;\nsession_id;message;created_at\n", "separated by semicolons"),
        ("session_id\tmessage\tcreated_at\n", "separated by tabs"),
        ("sep=,\nsession_id,message,created_at\n", "the first line of .* is sep=,: delete it"),
        ("session_id,message\n", "has no column created_at; .* give the time of its messages by --created-at"),
    ):
        file.write_text(header)
        with pytest.raises(n8n.ExportError, match=why):
            n8n.import_csv(world.warehouse, file, "A")
    with pytest.raises(Exception, match="no active crew has the code NOBODY; there are: A"):
        n8n.import_csv(world.warehouse, file, "NOBODY")


def test_an_export_without_times_gets_one(connected: World, tmp_path: Path) -> None:
    world = connected
    world.crew("A", create=False)
    file = tmp_path / "export.csv"
    file.write_text('session_id,message\ns1,"{""type"": ""human""}"\n')
    for given in ("2026-03-10", "2026-03-10T00:00:00", "2026-03-10T01:00:00+0100"):
        done = CliRunner().invoke(main, ["data", "import-histories", str(file), "--crew", "A", "--created-at", given])
        assert done.exit_code == 0, done.output
    assert "0 rows loaded, 1 were there already" in done.output
    assert world.execute("select session_id, created_at from app.histories_a") == [
        {"session_id": "s1", "created_at": at(0, 0)}
    ]
