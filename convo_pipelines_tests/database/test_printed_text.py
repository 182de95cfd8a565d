"""What commands print of names and definitions: the text as it is, so that it can be copied."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from convo_pipelines import logs
from convo_pipelines.cli import main, terminal
from convo_pipelines.operations import alerts
from convo_pipelines_tests import adopted
from convo_pipelines_tests.adopted import VIEWS
from convo_pipelines_tests.receivers import Receiver
from convo_pipelines_tests.world import World

ODD = r"[red]x[/red] :key:1: [/] [0] \[y] :smile: {z} <b> 'q' 100% ✉ é"
"""A name that markup, codes of emoji, placeholders, or a look at a number or string would change."""
LONG = f"{ODD} {'and so on ' * 60}end"
ESCAPE = "\x1b[2J\x07\x9b1m"
SHOWN_ESCAPE = r"\u001b[2J\u0007\u009b1m"
ODD_LITERAL = ":key:1: {z} ✉"
TABLE = "h :key:1: [a]"


def command(*arguments: str) -> str:
    """What a command prints, its errors included."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


def assert_shown(text: str, *names: str) -> None:
    for name in names:
        assert any(name in line for line in text.splitlines()), f"{name}\n{text}"
    assert not [character for character in text if character in "\x1b\x07\x9b"]


@pytest.fixture
def odd(connected: World) -> World:
    """A company whose names are all odd."""
    world = connected
    crew = world.crew(ODD, table="histories_odd", client=f"{ODD} C")
    world.say(f"{ODD} s", crew=ODD)
    world.execute("update app.crews set name = %s where id = %s", f"{ODD} crew", crew)
    person = world.person(f"{ODD} C", email="ana:smile:@example.com")
    world.execute("update app.people set name = %s where id = %s", f"{ODD} Ana{ESCAPE}", person)
    talk = world.conversation(client=f"{ODD} C", subject=f"{ODD} subject")
    world.address(talk, world.contact("ana:smile:@example.com"))
    project = world.project(talk, world.conversation(client=None))
    world.execute("update app.projects set name = %s where id = %s", f"{ODD} project", project)
    world.tick()
    world.sync()
    return world


def test_names_are_printed_as_they_are(odd: World, tmp_path: Path) -> None:
    world = odd
    [person] = [str(row["id"]) for row in world.execute("select id from app.people")]
    assert_shown(command("status"), ODD)
    assert_shown(command("capture", "on", f"{ODD} t"), f"{ODD} t: not read by the pipeline")
    assert_shown(
        command("people", "who", "ana:smile:@example.com"), "ana:smile:@example.com", f"{ODD} Ana{SHOWN_ESCAPE}"
    )
    assert_shown(command("people", "who", f"{ODD} w"), f"there is no contact method {ODD} w, and")
    assert (
        json.loads(command("people", "who", "ana:smile:@example.com", "--json"))["identifier"]
        == "ana:smile:@example.com"
    )
    linked = command("people", "link", "eve:key:@example.com", person, "--reason", LONG + ESCAPE, "--by", f"{ODD} me")
    assert_shown(linked, "eve:key:@example.com", LONG + SHOWN_ESCAPE, f"{ODD} me")
    assert_shown(
        command("people", "link", "ana:smile:@example.com", person, "--reason", "x", "--by", "x", "--dry-run"), "links"
    )
    assert_shown(command("people", "decisions"), LONG, f"{ODD} me")
    assert_shown(command("forget", "--crew", f"{ODD} n"), f"{ODD} n")
    assert_shown(command("forget", "--crew", ODD, "--session", f"{ODD} s"), ODD)
    assert_shown(command("tick", "--crew", f"{ODD} n"), f"{ODD} n")
    assert_shown(command("refresh", f"{ODD} asset"), f"{ODD} asset")
    assert_shown(command("client", "export", f"{ODD} n", str(tmp_path / "x")), f"{ODD} n")
    exported = tmp_path / "[red] :key:1: x"
    assert_shown(command("client", "export", f"{ODD} C", str(exported)), str(exported))
    assert_shown(command("generate", "zero-schema", "--output", str(exported)), str(exported))
    assert_shown(command("data", "project-arrays"), f"{ODD} project")
    file = tmp_path / "histories.csv"
    file.write_text(f'session_id,message,created_at\ns,"{ODD.replace(chr(34), "")}",x\n')
    assert_shown(command("data", "import-histories", str(file), "--crew", ODD), "line 2: ", "0 rows loaded")
    query = "select conversation_id, channel || ' :key:1: [x]' as channel from analytics.conversation_summaries"
    assert_shown(command("data", "compare", "conversation_summaries", "--with", query), "email :key:1: [x]")
    world.execute(f"comment on table analytics.alerts is $$ {ODD}{ESCAPE} $$")
    assert ODD + ESCAPE in CliRunner().invoke(main, ["generate", "data-dictionary"]).output


def test_errors_alerts_and_findings_are_printed_as_they_are(odd: World) -> None:
    world = odd
    world.crew(f"{ODD} 2", table=TABLE, client=f"{ODD} C")
    assert_shown(command("tick"), f"these crews failed: {ODD} 2: histories_table_name {TABLE!r} is not allowed")
    assert_shown(command("status"), f"{ODD} 2", f"histories_table_name {TABLE!r} is not allowed")
    world.execute("update analytics.crew_discovery_state set last_error = %s", f"{LONG}{ESCAPE}")
    assert_shown(command("status"), ODD, LONG + SHOWN_ESCAPE)
    with world.warehouse.connection() as connection:
        alerts.begin(connection, "test", f"{ODD} kind", f"{ODD} subject", LONG + ESCAPE, f"{ODD} remedy", "/")
    for kind in ("alerts", "status"):
        assert_shown(command(kind), f"{ODD} kind", f"{ODD} subject", LONG + SHOWN_ESCAPE, f"{ODD} remedy")
    assert [alert["found"] for alert in json.loads(command("health"))["open_alerts"]] == [LONG + ESCAPE]
    assert [alert["found"] for alert in json.loads(command("alerts", "--json"))] == [LONG + ESCAPE]


def test_alerts_that_are_sent_are_not_changed_and_say_what_they_leave_out(odd: World, receiver: Receiver) -> None:
    with odd.warehouse.connection() as connection:
        alerts.begin(connection, "test", "odd", f"{ODD} 1", ODD, f"{ODD} remedy", "/")
        alerts.begin(connection, "test", "odd", f"{ODD} 2", LONG, "", "/")
    alerts.deliver(odd.warehouse)
    [told] = [message["message"] for message in receiver.messages]
    assert_shown(told, f"odd: {ODD} 1", f"odd: {ODD} 2", f"  {ODD}", f"  {ODD} remedy")
    assert_shown(told, f"  {LONG[:500]} … (whole: `convo-pipelines alerts`)")


def test_definitions_are_printed_in_a_line_each(connected: World, tmp_path: Path) -> None:
    adopted.fill_shop(connected)
    (tmp_path / "views.sql").write_text(
        VIEWS.replace(
            "analytics.uuid_of('email', id::text)", f"md5('5:email:[i] {ODD_LITERAL}{' and ' * 90}' || id)::uuid"
        )
    )
    index = f"md5(('5:email:[i] {ODD_LITERAL}{' and ' * 90}'::text || (id)::text))"
    assert_shown(command("adopt", "--check", str(tmp_path / "views.sql")), index)
    assert_shown(command("adopt", "install", str(tmp_path / "views.sql")), "conversations")
    assert_shown(command("migrate", "validate"), index)
    connected.execute('create table shop."x :key:1: [a]" (id bigint primary key, email text, name text)')
    assert_shown(command("adopt", "--schema", "shop"), "x :key:1: [a]")


def test_at_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Console(width=80, force_terminal=True, color_system=None, markup=True, emoji=True)
    terminal.print_table(screen, [{f"{ODD[:20]} column": ODD[:40] + ESCAPE}], title="[t] :key:1:")
    with terminal.working(ODD) as shown:
        shown(ODD)
    assert_shown(capsys.readouterr().out, ODD[:40] + SHOWN_ESCAPE, "[t] :key:1:", f"{ODD[:20]} column")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_log_lines_have_no_control_characters(environment: Callable[..., object], log_format: str) -> None:
    environment(LOG_FORMAT=log_format)
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s", (f":key:1: [a]{ESCAPE}",), None)
    assert_shown(logs.Formatter().format(record), f":key:1: [a]{SHOWN_ESCAPE}")
