"""A table is compared with a query of whatever did the job before."""

import json
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import data, main
from convo_pipelines.operations.comparison import TABLES, Comparison, ComparisonError, compare
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import World, at


@pytest.fixture
def company(world: World) -> World:
    """Conversations of two clients, and a session, in all tables."""
    world.crew()
    world.say("s1")
    for client in ("C1", "C2"):
        person = world.person(client, email=f"{client}@example.com")
        talk = world.conversation(client=client)
        world.address(talk, world.contact(f"{client}@example.com", person))
        world.message(talk, "outbound", at(1))
    every = [row["id"] for row in world.execute("select id from app.conversations")]
    world.conversation(project_id=world.project(*every))
    world.tick()
    world.sync()
    return world


def findings(found: Comparison) -> dict[tuple[str | None, ...], int]:
    return {(row["client_code"], row["finding"], row["column_name"]): row["rows"] for row in found.differences}


@both_servers
def test_each_table_equals_itself(company: World) -> None:
    for table in TABLES:
        found = compare(company.warehouse, table, f"select * from analytics.{table}; ")
        assert found.rows, table
        assert not found.differences, table
    assert {"conversation_summaries", "people_conversations", "participant_resolutions"} < set(TABLES)


FORMER = """
select conversation_id::text, channel, message_count + (channel = 'email')::int as message_count, 7 as score -- %
from analytics.conversation_summaries where client_id <> (select id from app.clients where client_code = 'C2')
union all select 'ee0d2a44-3b10-4b1e-8f4f-1d6b9f0b8a11', 'chat', 3, 7
"""


def test_what_is_missing_surplus_and_different_is_counted_by_client_and_column(company: World) -> None:
    found = compare(company.warehouse, "conversation_summaries", FORMER)
    assert findings(found) == {
        ("C1", "different", "message_count"): 1,
        ("C2", "surplus", None): 1,
        (None, "missing", None): 1,
    }
    [mail] = company.execute("select id from app.conversations where channel = 'email' and client_id = %s and "
                             "project_id is null", company.client("C1"))  # fmt: skip
    [example] = found.differences[0]["examples"]
    assert example == {"conversation_id": str(mail["id"]), "query": "3", "table": "2"}
    assert found.columns == ["channel", "message_count"]
    assert found.ignored == ["score"]
    assert found.rows == 3
    assert findings(compare(company.warehouse, "conversation_summaries", FORMER, "C2")) == {("C2", "surplus", None): 1}


def test_a_key_that_the_query_returns_twice_is_a_difference(company: World) -> None:
    twice = "select person_id, conversation_id from analytics.people_conversations, generate_series(1, 2)"
    assert findings(compare(company.warehouse, "analytics.people_conversations", twice)) == {
        ("C1", "doubled", None): 1,
        ("C2", "doubled", None): 1,
    }


def test_ten_examples_are_kept_of_many(world: World) -> None:
    for _ in range(12):
        world.conversation()
    world.sync()
    [row] = compare(world.warehouse, "clients_conversations", "select null::uuid as client_id, null::uuid as "
                    "conversation_id where false").differences  # fmt: skip
    assert (row["client_code"], row["finding"], row["rows"], len(row["examples"])) == ("C1", "surplus", 12, 10)


@pytest.mark.parametrize(
    ("table", "query", "complaint"),
    [
        ("summaries", "select 1", "no derived table is called summaries; there are: histories_sessions"),
        ("crew_conversations", "select 1", "no derived table is called crew_conversations"),
        ("people_conversations", "select 1 as conversation_id", "the query returns no column person_id: the key of "
         "analytics.people_conversations is person_id, conversation_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_explained(world: World, table: str, query: str, complaint: str) -> None:
    with pytest.raises(ComparisonError, match=complaint):
        compare(world.warehouse, table, query)


def test_a_query_writes_nothing(company: World) -> None:
    for query in (
        "with gone as (delete from app.conversations returning id) select id as conversation_id from gone",
        "select 1) as query; delete from app.conversations; select (1",
    ):
        with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported,
                            psycopg.errors.SyntaxError)):  # fmt: skip
            compare(company.warehouse, "conversation_summaries", query)
    assert company.execute("select from app.conversations")
    with pytest.raises(ComparisonError, match="no client has the code C9; there are: C1, C2"):
        compare(company.warehouse, "conversation_summaries", "select 1", "C9")


def test_the_command_says_so_by_its_exit_status(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "Warehouse", lambda: company.warehouse)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["data", "compare", "conversation_summaries", *arguments])

    same = run("--with", "select * from analytics.conversation_summaries")
    assert (same.exit_code, same.output.splitlines()[-1]) == (0, "3 rows of the query: no differences")
    different = run("--with", FORMER)
    assert different.exit_code == 1
    assert "columns of the query that are not compared: score" in different.output
    assert "query 3, table 2" in different.output
    as_json = run("--with", FORMER, "--json")
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.output)["differences"]) == 3
