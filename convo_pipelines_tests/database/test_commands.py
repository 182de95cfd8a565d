"""Commands, called in this process; `process/test_cli.py` runs them as an operator does."""

import subprocess
import sys

import psycopg
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines_tests import oracle
from convo_pipelines_tests.unit.test_imports import BEYOND_A_TICK
from convo_pipelines_tests.world import World


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_tick_capture_status_and_forget(connected: World) -> None:
    world = connected
    for crew, client in (("A", "C1"), ("B", "C2")):
        world.crew(crew, client=client)
        world.say("s1", crew=crew)
    done = command("tick", "--client", "C2")
    assert done.exit_code == 0, done.output
    assert len(world.execute("select from analytics.conversation_summaries")) == 1
    assert command("tick").exit_code == 0
    oracle.assert_right(world)
    assert "captured" in command("capture", "status", "histories_a").stdout
    off = command("capture", "off", "histories_a")
    assert "switched off" in off.stdout
    with psycopg.connect(world.url) as writer:
        writer.execute("insert into app.histories_b (session_id) values ('s2')")
        writer.execute("insert into app.messages (conversation_id, direction, sent_at) select id, 'inbound', now() "
                       "from app.conversations limit 1")  # fmt: skip
        world.say("s3", crew="B")
        status = command("status").stdout
        assert f"│ {writer.info.backend_pid} " in status
        assert "not captured" in status
    refused = command("forget", "--crew", "A", "--session", "s1")
    assert refused.exit_code == 1
    assert "app.histories_a still has messages of session 's1'" in refused.output
    world.execute("truncate app.histories_a; delete from app.conversations where session_id = 's1'")
    assert command("capture", "on").exit_code == 0
    assert command("tick").exit_code == 0
    person = world.person(email="ana@example.com")
    assert command("tick").exit_code == 0
    assert f"app still has person {person}" in command("forget", "--person", str(person)).output
    forgotten = command("forget", "--crew", "A", "--session", "s1")
    assert forgotten.exit_code == 0, forgotten.output
    assert "'s1'" not in str(world.execute("select * from analytics.histories_sessions where crew_id in "
                                           "(select id from app.crews where crew_code = 'A')"))  # fmt: skip
    assert command("forget", "--session", "s1").exit_code == 2


def test_a_tick_without_news_loads_only_what_it_needs(connected: World) -> None:
    connected.crew()
    connected.say("s1")
    connected.address(connected.conversation(), connected.contact("+49 30 1234567", connected.person()))
    assert command("tick").exit_code == 0
    program = (
        "import sys; from convo_pipelines.cli import main; main(['tick'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "conversation_summaries" in done.stdout
    assert BEYOND_A_TICK.intersection(done.stdout.splitlines()[-1].split()) == set()
