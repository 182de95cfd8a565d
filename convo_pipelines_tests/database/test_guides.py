"""The guides for those who write the application, and for those who switch over: what is written there runs."""

import re
import shlex
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import data, main
from convo_pipelines_tests.conftest import ROOT, both_servers
from convo_pipelines_tests.world import World


def fences(guide: str, language: str) -> list[str]:
    text = (ROOT / "docs" / "how-to" / guide).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@both_servers
def test_the_applications_statements_do_what_the_guide_says(world: World) -> None:
    lead, client, ana = uuid4(), world.client(), world.person(email="ana@example.com")
    shown = {"1b7e…": str(lead), "5c1a…": str(client), "6f0c…": str(ana)}
    statements = [
        re.sub("|".join(shown), lambda found: shown[found[0]], fence) for fence in fences("application.md", "sql")
    ]
    open_one, look, close, people, of_client, of_person = statements
    [opened] = world.execute(open_one)
    assert world.execute(open_one) == []
    assert world.execute(look) == [opened]
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        world.conversation(lead_id=lead)
    assert refused.value.diag.constraint_name == "conversations_one_open_per_lead"
    assert world.execute(close) == [opened]
    assert world.execute(close) == []
    [second] = world.execute(open_one)
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.execute("update app.conversations set closed_at = null where id = %s", opened["id"])
    world.address(second["id"], world.contact("ana@example.com"))
    world.tick()
    world.sync()
    assert world.execute(people) == [{"id": ana, "name": "…"}]
    assert {row["conversation_id"] for row in world.execute(of_client)} == {opened["id"], second["id"]}
    assert [row["conversation_id"] for row in world.execute(of_person)] == [second["id"]]


def test_clients_are_switched_one_by_one_and_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "Warehouse", lambda: world.warehouse)
    talks = {client: world.conversation(client=client) for client in ("C001", "C002")}
    for talk in talks.values():
        world.message(talk)
    world.tick()
    world.execute(
        "create schema reporting; create table reporting.conversations as select conversation_id, client_code, "
        "7 as messages from analytics.conversation_summaries join analytics.client_names using (client_id)"
    )
    [command] = [line for line in "".join(fences("switching.md", "sh")).split("convo-pipelines ") if "--with" in line]
    compared = CliRunner().invoke(main, shlex.split(command))
    assert compared.exit_code == 1
    assert "query 7, table 1" in compared.output
    world.execute("update reporting.conversations set messages = 1 where client_code = 'C001'")
    assert CliRunner().invoke(main, shlex.split(command)).exit_code == 0

    def shown() -> dict[UUID, int]:
        rows = world.execute("select conversation_id, messages from reporting.current_conversations")
        return {row["conversation_id"]: row["messages"] for row in rows}

    world.execute("update reporting.conversations set messages = 7")
    made, switch, back = fences("switching.md", "sql")
    world.execute(made)
    assert shown() == {talks["C001"]: 7, talks["C002"]: 7}
    world.execute(switch)
    assert shown() == {talks["C001"]: 1, talks["C002"]: 7}
    world.execute(back)
    assert shown() == {talks["C001"]: 7, talks["C002"]: 7}
